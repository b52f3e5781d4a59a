import { constants, copyFileSync } from "node:fs";
import { resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { jsonLines } from "#client/demultiplex.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import { familiarReference, familiarRepository, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import { bootstrap } from "#tools/bootstrap/bootstrap.ts";
import { type Bootstrapped, type BootstrapRequest, type Variant, variants } from "#tools/bootstrap/contract.ts";
import { collect } from "../container-flags.ts";
import type { Context, Verb } from "../contract.ts";
import { paint } from "../output/colour.ts";

interface Options {
  readonly name?: string;
  readonly variant: string;
  readonly include: readonly string[];
  readonly date?: string;
  readonly output?: string;
  readonly mirror?: string;
  readonly cache: string | boolean;
  readonly quiet?: boolean;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<system>", "distribution and suite, as debian:bookworm")
      .option("--name <name>", "the image's name; the system's when left out")
      .option("--variant <variant>", `how much of it: ${variants.join(", ")}`, "minbase")
      .option("--include <packages>", "further packages, as curl,git", collect, [])
      .option("--date <date>", "what its files are dated at most, as 2026-01-31 or seconds since 1970")
      .option("-o, --output <file>", "write the tar there instead of making an image")
      .option("--mirror <uri>", "a package source instead of this machine's own")
      .option("--cache <folder>", "where finished tars are kept")
      .option("--no-cache", "make it anew")
      .option("-q, --quiet", "no progress")
      .addHelpText("after", "\nThe same packages give the same image, bit for bit. Nothing in it names this machine.");
    command.action((system: string, options: Options) =>
      run(async (context) => {
        const request = requestOf(context, system, options);
        const name = options.output === undefined ? parseName(options.name ?? system) : undefined;
        using stop = interruptible();
        const made = await bootstrap(request, {
          signal: stop.signal,
          ...(options.quiet === true
            ? {}
            : { onProgress: (line) => context.stderr.write(`${paint(context.stderr, "dim", line)}\n`) }),
        });
        if (name === undefined) {
          const file = resolve(context.cwd, options.output!);
          copyFileSync(made.tar, file, constants.COPYFILE_FICLONE);
          context.stdout.write(`${file}\n`);
          return undefined;
        }
        if (made.cached && options.quiet !== true) context.stderr.write(`taken from the cache: ${made.tar}\n`);
        await importTar(context, made, name, request);
        return undefined;
      }),
    );
  },
};

function parseName(text: string): ReturnType<typeof parseReference> {
  return withDefaultTag(parseReference(text));
}

function requestOf(context: Context, system: string, options: Options): BootstrapRequest {
  const [distribution = "", suite = "", more] = system.split(":");
  if (suite === "" || more !== undefined) {
    throw new GantryError("invalid", {
      doing: "bootstrap",
      on: system,
      because: "it does not name a distribution and its suite",
      next: "For example: gantry bootstrap debian:bookworm",
    });
  }
  if (!variants.includes(options.variant as Variant)) {
    throw new GantryError("invalid", {
      doing: "bootstrap the variant",
      on: options.variant,
      because: "there is no such variant",
      next: `Choose one of ${variants.join(", ")}.`,
    });
  }
  const date = dateFlag(options.date ?? context.env.SOURCE_DATE_EPOCH);
  return {
    distribution,
    suite,
    variant: options.variant as Variant,
    include: options.include.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== ""),
    ...(date === undefined ? {} : { date }),
    ...(options.mirror === undefined ? {} : { mirror: options.mirror.replace(/\/+$/, "") }),
    cache: cacheFolder(context, options.cache),
    fresh: options.cache === false,
  };
}

function cacheFolder(context: Context, flag: string | boolean): string {
  const { env } = context;
  if (typeof flag === "string") return resolve(context.cwd, flag);
  return env.GANTRY_CACHE ?? `${env.XDG_CACHE_HOME ?? `${env.HOME ?? "/root"}/.cache`}/gantry/bootstrap`;
}

/** "2026-01-31" or seconds since 1970. Error "invalid". */
function dateFlag(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:]+Z?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return Math.floor(time / 1000);
  throw new GantryError("invalid", {
    doing: "read --date",
    on: text,
    because: "it is no date",
    next: "For example: --date 2026-01-31",
  });
}

/** Ctrl-C and a kill let the tool clean up before this process ends. */
function interruptible(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}

async function importTar(
  context: Context,
  made: Bootstrapped,
  name: ReturnType<typeof parseReference>,
  request: BootstrapRequest,
): Promise<void> {
  const client = await context.client();
  const query = new URLSearchParams({
    fromSrc: "-",
    repo: familiarRepository(name),
    tag: name.tag ?? "latest",
    changes: 'CMD ["bash"]',
    message: `gantry bootstrap ${request.distribution}:${request.suite}`,
    // Without it the image would carry the time of the import, and its digest with it.
    "gantry-created": new Date(made.date * 1000).toISOString(),
  });
  const lines = await client.stream("POST", `/images/create?${query}`, {
    body: Bun.file(made.tar).stream(),
    headers: { "Content-Type": "application/x-tar" },
  });
  for await (const line of jsonLines<ProgressLine>(lines)) {
    if (line.error !== undefined) {
      throw new GantryError("invalid", { doing: "import", on: familiarReference(name), because: line.error });
    }
    if (line.status?.startsWith("sha256:") === true) context.stdout.write(`${line.status}\n`);
  }
}
