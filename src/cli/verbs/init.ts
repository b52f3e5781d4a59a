import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { InitResult } from "#tools/init/contract.ts";
import { initFolder } from "#tools/init/init.ts";
import type { Context, Verb } from "../contract.ts";
import { readFolder } from "../init-folder.ts";

interface Options {
  readonly force?: boolean;
  readonly json?: boolean;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("[folder]", "what the image is made of; this folder when left out")
      .option("-f, --force", "write over a Dockerfile that is there")
      .option("--json", "what was written as JSON");
    command.action((name: string | undefined, options: Options) =>
      run(async (context) => {
        const folder = resolve(context.cwd, name ?? ".");
        if (!existsSync(folder) || !statSync(folder).isDirectory()) {
          throw new GantryError("not-found", {
            doing: "write a Dockerfile in",
            on: name ?? ".",
            because: "there is no such folder",
          });
        }
        const made = initFolder({ name: basename(folder), files: readFolder(folder) });
        const files = writeFiles(folder, made, options.force === true);
        if (options.json === true) {
          const { language, what, imageName, notes } = made;
          context.stdout.write(`${JSON.stringify({ language, what, imageName, notes, files })}\n`);
        } else context.stdout.write(inWords(context, folder, made, files));
        return undefined;
      }),
    );
  },
};

/** Gives the names of the files written. Error "conflict": one is there; then none is written. */
function writeFiles(folder: string, made: InitResult, force: boolean): string[] {
  const present = new Set(readdirSync(folder));
  const names = ["Dockerfile", ".dockerignore"];
  const inTheWay = names.filter((name) => present.has(name));
  if (inTheWay.length > 0 && !force) {
    throw new GantryError("conflict", {
      doing: "write a Dockerfile in",
      on: folder,
      because: `${inTheWay.join(" and ")} ${inTheWay.length === 1 ? "is" : "are"} there already`,
      next: "Keep it and build, or write over it with --force.",
    });
  }
  const texts = [made.dockerfile, made.dockerignore];
  names.forEach((name, index) => {
    const file = join(folder, name);
    // Through a link a file elsewhere would be written over.
    if (present.has(name) && lstatSync(file).isSymbolicLink()) {
      throw new GantryError("denied", {
        doing: "write",
        on: file,
        because: "it is a symbolic link",
        next: "Remove the link first.",
      });
    }
    writeFileSync(file, texts[index]!, { flag: force ? "w" : "wx" });
  });
  return names;
}

function inWords(context: Context, folder: string, made: InitResult, files: readonly string[]): string {
  const shown = relative(context.cwd, folder);
  const place = shown === "" ? "." : shown.startsWith("..") ? folder : shown;
  const quoted = /^[\w./@%+=:,-]+$/.test(place) ? place : `'${place.replaceAll("'", "'\\''")}'`;
  const lines = [
    `Found: ${made.what}`,
    `Wrote: ${files.map((name) => (place === "." ? name : `${place}/${name}`)).join(", ")}`,
    ...made.notes.map((note) => `Note:  ${note}`),
    "",
    "Next:",
    `  gantry build -t ${made.imageName} ${quoted}`,
    `  gantry run --rm ${made.imageName}`,
  ];
  return `${lines.join("\n")}\n`;
}
