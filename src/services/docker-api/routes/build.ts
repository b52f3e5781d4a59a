import { GantryError } from "#base/core/errors.ts";
import type { BuildEvent, BuildLimits, CredentialSource, StepFailure } from "#build/contract.ts";
import type { Engine } from "#engine/contract.ts";
import { credentialsOf } from "#engine/image-work.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import { parsePlatform } from "#formats/oci/platform.ts";
import { canonicalReference, familiarReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import { filters, flag, integer, onlyFilters } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { moment } from "../moment.ts";
import { jsonLines } from "../progress.ts";

export function buildRoutes(engine: Engine): Route[] {
  return [
    { method: "POST", path: "/build", handle: (call) => build(engine, call) },
    {
      method: "POST",
      path: "/build/prune",
      handle: (call) => prune(engine, call),
    },
  ];
}

/** The cache's layers go by age alone; what they free is told once they are collected. */
async function prune(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  // An unknown one taken in silence would remove what it was meant to keep.
  onlyFilters("build cache to prune", wanted, ["until", "unused-for"]);
  const ages = [...(wanted.get("until") ?? []), ...(wanted.get("unused-for") ?? [])];
  const before = Math.min(...ages.map((text) => moment(text, "prune the build cache until")));
  const going = engine.builder.cached().filter(({ used }) => used < before);
  await engine.builder.pruneCache(before === Number.POSITIVE_INFINITY ? undefined : before);
  const { bytes } = await engine.store.collect();
  return { status: 200, json: { CachesDeleted: going.map(({ key }) => key.slice(7, 32)), SpaceReclaimed: bytes } };
}

function record(call: Call, name: string): Record<string, string> {
  const text = call.query.get(name);
  if (text === null || text === "") return {};
  try {
    const value = JSON.parse(text) as Record<string, string | null>;
    return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, item]])));
  } catch (cause) {
    throw new GantryError("invalid", {
      doing: `read the build's ${name}`,
      on: text,
      because: "it is no JSON object",
      cause,
    });
  }
}

function limits(call: Call): BuildLimits {
  const names = [
    ["memory", "memory"],
    ["memswap", "memorySwap"],
    ["cpushares", "cpuShares"],
    ["cpuquota", "cpuQuota"],
    ["cpuperiod", "cpuPeriod"],
    ["shmsize", "shmSize"],
  ] as const;
  const numbers: Partial<Record<(typeof names)[number][1], number>> = Object.fromEntries(
    names.flatMap(([asked, own]) => {
      const value = integer(call.query, asked);
      return value === undefined || value === 0 ? [] : [[own, value]];
    }),
  );
  const cpuset = call.query.get("cpusetcpus");
  return { ...numbers, ...(cpuset === null || cpuset === "" ? {} : { cpusetCpus: cpuset }) };
}

function networkMode(call: Call): "default" | "none" | "host" {
  const text = call.query.get("networkmode") ?? "";
  if (text === "" || text === "default" || text === "bridge") return "default";
  if (text === "none" || text === "host") return text;
  throw new GantryError("unsupported", {
    doing: "build on the network",
    on: text,
    because: "a build's RUN steps know the networks default, none and host",
  });
}

/** Docker Hub's credentials are kept under an address of old. */
const hub = "https://index.docker.io/v1/";

/** What the client has for each registry. Error "invalid". */
function credentialsIn(call: Call): CredentialSource {
  const header = call.headers["x-registry-config"];
  if (typeof header !== "string" || header === "") return () => Promise.resolve(undefined);
  try {
    const known = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as Record<string, AuthConfig>;
    return async (domain) => {
      const auth = known[domain === "docker.io" ? hub : domain];
      return auth === undefined ? undefined : credentialsOf(auth);
    };
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read X-Registry-Config", because: "it is not base64url JSON", cause });
  }
}

async function build(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("build");
  if (call.query.get("version") === "2") {
    throw new GantryError("unsupported", {
      doing: "build",
      because: "BuildKit's builds come over /grpc and /session here, not over this page",
      next: "Install buildx, set DOCKER_BUILDKIT=0, or build with: gantry build",
    });
  }
  const credentials = credentialsIn(call);
  if ((call.query.get("remote") ?? "") !== "") {
    throw new GantryError("unsupported", {
      doing: "build from",
      on: call.query.get("remote") ?? "",
      because: "remote contexts are not served yet",
      next: "Fetch the folder and build from it.",
    });
  }
  const tags = call.query.getAll("t").map((name) => canonicalReference(withDefaultTag(parseReference(name))));
  const target = call.query.get("target");
  const platform = call.query.get("platform");
  const { SOURCE_DATE_EPOCH: epoch, ...buildArgs } = record(call, "buildargs");
  const context = await engine.images.receiveContext(
    call.body,
    call.query.get("dockerfile") || "Dockerfile",
    call.signal,
  );
  const quiet = flag(call.query, "q");
  return jsonLines(async (send) => {
    await using received = context;
    const show = shower(send, quiet);
    try {
      const image = await engine.images.build(
        {
          context: received.folder,
          dockerfile: received.dockerfile,
          ...(received.ignore === undefined ? {} : { ignore: received.ignore }),
          ...(target === null || target === "" ? {} : { target }),
          buildArgs,
          labels: record(call, "labels"),
          ...(platform === null || platform === "" ? {} : { platform: parsePlatform(platform) }),
          noCache: flag(call.query, "nocache"),
          pull: flag(call.query, "pull"),
          credentials,
          ...(epoch === undefined ? {} : { sourceDateEpoch: Number(epoch) }),
          network: networkMode(call),
          addHosts: call.query.getAll("extrahosts"),
          limits: limits(call),
          keepVolatile: flag(call.query, "gantry-keep-volatile"),
          keepMode: flag(call.query, "gantry-keep-mode"),
          noFixedEnv: flag(call.query, "gantry-no-fixed-env"),
        },
        tags,
        call.signal,
        show,
      );
      send({ aux: { ID: image.id } });
      if (quiet) send({ stream: `${image.id}\n` });
      else {
        send({ stream: `Successfully built ${image.id.slice(7, 19)}\n` });
        for (const name of tags) send({ stream: `Successfully tagged ${familiarReference(parseReference(name))}\n` });
      }
    } catch (error) {
      const failure =
        error instanceof GantryError ? (error.parts.details as Partial<StepFailure> | undefined) : undefined;
      if (typeof failure?.exitCode !== "number" || !(error instanceof Error)) throw error;
      send({ error: error.message, errorDetail: { message: error.message, code: failure.exitCode } });
    }
  });
}

/** Build events as the classic builder's lines; Gantry's own client reads the events themselves from `aux`. */
function shower(send: (line: ProgressLine) => void, quiet: boolean): (event: BuildEvent) => void {
  const decoder = new TextDecoder();
  return (event) => {
    send({
      aux: {
        "gantry.event":
          event.type === "log" ? { ...event, bytes: undefined, text: decoder.decode(event.bytes) } : event,
      },
    });
    if (quiet) return;
    if (event.type === "step") send({ stream: `Step ${event.step}/${event.of} : ${event.text}\n` });
    else if (event.type === "cached") send({ stream: " ---> Using cache\n" });
    else if (event.type === "log") send({ stream: decoder.decode(event.bytes) });
    else if (event.type === "done" && event.layer !== undefined)
      send({ stream: ` ---> ${event.layer.digest.slice(7, 19)}\n` });
    else if (event.type === "warning") send({ stream: `[Warning] ${event.text}\n` });
  };
}
