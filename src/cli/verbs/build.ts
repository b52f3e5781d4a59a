import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { jsonLines } from "#client/demultiplex.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import { packContext } from "#tools/context/pack.ts";
import { collect } from "../container-flags.ts";
import type { Context, Verb } from "../contract.ts";
import { LiveBuildView, PlainBuildView, type WireEvent } from "../output/build-view.ts";
import { parseSize } from "../size-flag.ts";

interface Options {
  readonly addHost: readonly string[];
  readonly buildArg: readonly string[];
  readonly cpuPeriod?: string;
  readonly cpuQuota?: string;
  readonly cpuShares?: string;
  readonly cpusetCpus?: string;
  readonly explainNormalise?: boolean;
  readonly file?: string;
  readonly fixedEnv: boolean;
  readonly iidfile?: string;
  readonly keepMode?: boolean;
  readonly keepVolatile?: boolean;
  readonly label: readonly string[];
  readonly memory?: string;
  readonly memorySwap?: string;
  readonly network: string;
  readonly cache: boolean;
  readonly platform?: string;
  readonly progress: string;
  readonly pull?: boolean;
  readonly quiet?: boolean;
  readonly shmSize?: string;
  readonly tag: readonly string[];
  readonly target?: string;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<folder>", "the build context")
      .option("--add-host <name:address>", "a line for /etc/hosts of RUN", collect, [])
      .option("--build-arg <name=value>", "a value for an ARG", collect, [])
      .option("--cpu-period <microseconds>", "length of a scheduling period of RUN")
      .option("--cpu-quota <microseconds>", "processor time a period of RUN")
      .option("-c, --cpu-shares <weight>", "relative weight of RUN")
      .option("--cpuset-cpus <list>", "processors of RUN")
      .option("--explain-normalise", "say which volatile files were removed, and why")
      .option("-f, --file <file>", "the Dockerfile; - reads it from standard input")
      .option("--iidfile <file>", "write the image's digest into a file")
      .option("--keep-mode", "keep the context's own permission bits")
      .option("--keep-volatile", "leave logs and caches in the layers")
      .option("--label <name=value>", "a label of the image", collect, [])
      .option("-m, --memory <size>", "memory of RUN at most")
      .option("--memory-swap <size>", "memory and swap of RUN at most")
      .option("--network <mode>", "default, none or host, for RUN", "default")
      .option("--no-cache", "run every step again")
      .option("--no-fixed-env", "give RUN no TZ, LANG and PYTHONHASHSEED")
      .option("--platform <platform>", "as linux/amd64")
      .option("--progress <kind>", "auto, plain, tty or rawjson", "auto")
      .option("--pull", "ask the registry for the base even when it is here")
      .option("-q, --quiet", "print only the digest")
      .option("--shm-size <size>", "size of RUN's /dev/shm")
      .option("-t, --tag <name>", "the image's name; several may be given", collect, [])
      .option("--target <stage>", "stop at this stage");
    command.action((folder: string, options: Options) => run((context) => build(context, folder, options)));
  },
};

async function build(context: Context, folder: string, options: Options): Promise<undefined> {
  const packed = packContext({ folder: resolve(folder), dockerfile: await dockerfileOf(folder, options.file) });
  const epoch = context.env.SOURCE_DATE_EPOCH;
  const args = {
    ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch }),
    ...pairs(options.buildArg, context.env),
  };
  const query = new URLSearchParams({
    dockerfile: packed.dockerfile,
    buildargs: JSON.stringify(args),
    labels: JSON.stringify(pairs(options.label, {})),
    networkmode: options.network,
    nocache: options.cache ? "0" : "1",
    pull: options.pull === true ? "1" : "0",
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    ...(options.keepVolatile === true ? { "gantry-keep-volatile": "1" } : {}),
    ...(options.keepMode === true ? { "gantry-keep-mode": "1" } : {}),
    ...(options.fixedEnv ? {} : { "gantry-no-fixed-env": "1" }),
    ...limit("memory", parseSize(options.memory, "memory")),
    ...limit("memswap", parseSize(options.memorySwap, "memory-swap")),
    ...limit("shmsize", parseSize(options.shmSize, "shm-size")),
    ...limit("cpuperiod", options.cpuPeriod),
    ...limit("cpuquota", options.cpuQuota),
    ...limit("cpushares", options.cpuShares),
    ...limit("cpusetcpus", options.cpusetCpus),
  });
  for (const tag of options.tag) query.append("t", tag);
  for (const host of options.addHost) query.append("extrahosts", host);
  const client = await context.client();
  const stopping = new AbortController();
  const stop = () => stopping.abort(new GantryError("cancelled", { doing: "build", because: "it was stopped" }));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const lines = await client.stream("POST", `/build?${query}`, {
    body: packed.stream,
    headers: { "Content-Type": "application/x-tar" },
    signal: stopping.signal,
  });
  const id = await follow(context, lines, options);
  if (options.iidfile !== undefined) await Bun.write(options.iidfile, id);
  if (options.quiet === true) context.stdout.write(`${id}\n`);
  else {
    const names = options.tag.length === 0 ? "" : ` as ${options.tag.join(", ")}`;
    context.stderr.write(`Built ${id}${names}\n`);
  }
}

/** Shows the build to its end and gives the image's digest. Errors: the build's own. */
async function follow(context: Context, lines: ReadableStream<Uint8Array>, options: Options): Promise<string> {
  const live = options.progress === "tty" || (options.progress === "auto" && context.stderr.isTerminal);
  const view =
    options.quiet === true || options.progress === "rawjson"
      ? undefined
      : live
        ? new LiveBuildView(context.stderr)
        : new PlainBuildView(context.stderr, options.explainNormalise === true);
  let id = "";
  let failure: string | undefined;
  try {
    for await (const line of jsonLines<ProgressLine>(lines)) {
      const event = line.aux?.["gantry.event"] as WireEvent | undefined;
      if (options.progress === "rawjson" && event !== undefined) context.stdout.write(`${JSON.stringify(event)}\n`);
      if (event !== undefined) view?.event(event);
      if (typeof line.aux?.ID === "string") id = line.aux.ID;
      if (line.error !== undefined) failure = line.error;
    }
  } finally {
    view?.finish();
  }
  if (failure !== undefined) throw new BuildFailure(failure);
  return id;
}

/** The engine's words are the whole message: they name the file, the line and what to do. */
class BuildFailure extends GantryError {
  constructor(message: string) {
    super("invalid", { doing: "build", because: message });
    this.message = message;
  }
}

async function dockerfileOf(
  folder: string,
  file: string | undefined,
): Promise<{ inside: string } | { name: string; bytes: Uint8Array }> {
  if (file === undefined) {
    const containerfile = !existsSync(resolve(folder, "Dockerfile")) && existsSync(resolve(folder, "Containerfile"));
    return { inside: containerfile ? "Containerfile" : "Dockerfile" };
  }
  if (file === "-") return { name: "Dockerfile", bytes: new Uint8Array(await Bun.stdin.arrayBuffer()) };
  const path = relative(resolve(folder), resolve(file));
  if (!path.startsWith("..") && !isAbsolute(path)) return { inside: path };
  if (!existsSync(file))
    throw new GantryError("not-found", { doing: "build", on: file, because: "there is no such Dockerfile" });
  return { name: file.split("/").at(-1)!, bytes: readFileSync(file) };
}

function pairs(entries: readonly string[], own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const at = entry.indexOf("=");
      if (at > 0) return [[entry.slice(0, at), entry.slice(at + 1)]];
      const value = own[entry];
      return value === undefined ? [] : [[entry, value]];
    }),
  );
}

function limit(name: string, value: string | number | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: `${value}` };
}
