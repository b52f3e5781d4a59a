import { existsSync } from "node:fs";
import type { Command } from "commander";
import { GantryError } from "#base/core/errors.ts";
import type { Context, VerbResult } from "../contract.ts";
import { writeFile } from "../write-file.ts";

type Run = (act: (context: Context) => Promise<VerbResult>) => Promise<void>;

interface Named {
  readonly Name: string;
}

/** Verbs on a whole volume, which Docker has none for. */
export function declareWork(command: Command, run: Run): void {
  declareCopy(command, run, "clone", "A second volume of the same content; without a copy where the file system can");
  declareCopy(
    command,
    run,
    "snapshot",
    "A clone that says of what it is and when; named <volume>-<time> when left out",
  );
  declareExport(command, run);
  declareImport(command, run);
  command
    .command("rename")
    .description("Give a volume another name; its containers follow, also while they run")
    .argument("<volume>", "its name")
    .argument("<name>", "the new one")
    .action((volume: string, name: string) =>
      run(async (context) => {
        await (await context.client()).request("POST", page(volume, "rename"), { json: { Name: name } });
        return undefined;
      }),
    );
}

function page(volume: string, verb: string): string {
  return `/gantry/v1/volumes/${encodeURIComponent(volume)}/${verb}`;
}

function declareCopy(command: Command, run: Run, verb: "clone" | "snapshot", description: string): void {
  command
    .command(verb)
    .description(description)
    .argument("<volume>", "the volume to copy")
    .argument("[name]", "the new one's name")
    .option("--pause", "freeze the containers that run with it meanwhile")
    .action((volume: string, name: string | undefined, { pause }: { pause?: boolean }) =>
      run(async (context) => {
        const json = { ...(name === undefined ? {} : { Name: name }), Pause: pause === true };
        const { Name } = await (await context.client()).request<Named>("POST", page(volume, verb), { json });
        context.stdout.write(`${Name}\n`);
        return undefined;
      }),
    );
}

function declareExport(command: Command, run: Run): void {
  command
    .command("export")
    .description("Write what is in a volume as a tar")
    .argument("<volume>", "its name")
    .option("-o, --output <file>", "the tar; standard output when left out")
    .option("--pause", "freeze the containers that run with it meanwhile")
    .action((volume: string, { output, pause }: { output?: string; pause?: boolean }) =>
      run(async (context) => {
        if (output === undefined && context.stdout.isTerminal) {
          throw new GantryError("invalid", {
            doing: "export the volume",
            on: volume,
            because: "an archive has no place on a terminal",
            next: "Name a file: gantry volume export -o FILE VOLUME",
          });
        }
        const client = await context.client();
        const stream = await client.stream("GET", page(volume, "export"), { query: { pause: pause === true ? 1 : 0 } });
        if (output === undefined) for await (const chunk of stream) context.stdout.write(chunk);
        else await writeFile(stream, output, "export the volume to");
        return undefined;
      }),
    );
}

function declareImport(command: Command, run: Run): void {
  command
    .command("import")
    .description("Make a volume of a tar, plain or compressed")
    .argument("<volume>", "the new volume's name")
    .argument("[file]", "the tar, or - for standard input", "-")
    .action((volume: string, file: string) =>
      run(async (context) => {
        if (file !== "-" && !existsSync(file)) {
          throw new GantryError("not-found", { doing: "import", on: file, because: "there is no such file" });
        }
        const { Name } = await (await context.client()).request<Named>("POST", page(volume, "import"), {
          body: (file === "-" ? Bun.stdin : Bun.file(file)).stream(),
          headers: { "Content-Type": "application/x-tar" },
        });
        context.stdout.write(`${Name}\n`);
        return undefined;
      }),
    );
}
