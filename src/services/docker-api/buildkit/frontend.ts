import { GantryError } from "#base/core/errors.ts";
import type { BuildLimits } from "#build/contract.ts";
import { parsePlatform } from "#formats/oci/platform.ts";
import type { Wanted } from "./contract.ts";

type Attributes = Readonly<Record<string, string>>;

/** Has no meaning here or is only told to whoever asks about a build's origin. */
const ignored = [/^vcs:/, /^sharedkey:/, /^frontend\.caps$/, /^image-resolve-mode$/, /^contextkey$/, /^dockerfilekey$/];

const known = [
  /^(filename|target|platform|no-cache|force-network-mode|add-hosts|shm-size|ulimit|context)$/,
  /^(build-arg|label|local-sessionid):/,
  /^(cache-from|cache-imports)$/,
  /^(memory|memswap|cpushares|cpuperiod|cpuquota|cpusetcpus)$/,
  ...ignored,
];

/** The frontend `dockerfile.v0`: its attributes as a build request. Errors: "unsupported" by the attribute's name. */
export function wantedBy(frontend: string, attributes: Attributes): Wanted {
  requireFrontend(frontend, attributes);
  const strange = Object.keys(attributes).find((name) => !known.some((pattern) => pattern.test(name)));
  if (strange !== undefined && !(frontend === "gateway.v0" && ["source", "cmdline"].includes(strange))) {
    throw notHere(strange, attributes[strange] ?? "");
  }
  const { SOURCE_DATE_EPOCH: epoch, ...buildArgs } = below("build-arg:", attributes);
  const { platform, target } = attributes;
  const upload = uploadOf(attributes.context);
  return {
    dockerfile: attributes.filename || "Dockerfile",
    dockerfileFolder: attributes.dockerfilekey || "dockerfile",
    contextFolder: attributes.contextkey || "context",
    sharedSessions: below("local-sessionid:", attributes),
    ...(upload === undefined ? {} : { upload }),
    warnings:
      attributes["cache-imports"] || attributes["cache-from"]
        ? ["caches of other builders are not read; every step is looked for in this engine's own cache"]
        : [],
    request: {
      ...(target ? { target } : {}),
      ...(platform ? { platform: onePlatform(platform) } : {}),
      buildArgs,
      labels: below("label:", attributes),
      noCache: noCache(attributes),
      pull: attributes["image-resolve-mode"] === "pull",
      ...(epoch === undefined ? {} : { sourceDateEpoch: Number(epoch) }),
      network: network(attributes["force-network-mode"] ?? ""),
      addHosts: list(attributes["add-hosts"]).map((entry) => entry.replace("=", ":")),
      limits: limits(attributes),
      keepVolatile: false,
      keepMode: false,
      noFixedEnv: false,
    },
  };
}

/** Error "unsupported": `# syntax=` names another language than Dockerfile's, which is built in and never pulled. */
export function requireSyntax(syntax: string): void {
  if (/^(docker\.io\/)?docker\/dockerfile([:@].*)?$/.test(syntax.split(/\s/, 1)[0]!)) return;
  throw new GantryError("unsupported", {
    doing: "build with the frontend",
    on: syntax,
    because: "this builder reads Dockerfiles and nothing else",
  });
}

function requireFrontend(frontend: string, { source = "", requestid }: Attributes): void {
  if (frontend !== "dockerfile.v0") requireSyntax(frontend === "gateway.v0" ? source : frontend);
  if (requestid !== undefined) {
    throw new GantryError("unsupported", {
      doing: "answer the frontend's request",
      on: requestid,
      because: "this engine only builds",
      next: "Leave out --call and --check.",
    });
  }
}

function notHere(name: string, value: string): GantryError {
  const named = name.startsWith("context:") ? `the named context ${name.slice(8)}` : name;
  return new GantryError("unsupported", {
    doing: "build with",
    on: value === "" ? named : `${named}=${value}`,
    because: "this builder has no such option",
  });
}

/** The path of a context that is uploaded. Error "unsupported" for one the engine would have to fetch. */
function uploadOf(context: string | undefined): string | undefined {
  if (context === undefined || context === "") return undefined;
  const upload = /^http:\/\/buildkit-session(\/[^/]+)$/.exec(context);
  if (upload !== null) return upload[1]!;
  throw new GantryError("unsupported", {
    doing: "build from",
    on: context,
    because: "remote contexts are not served yet",
    next: "Fetch the folder and build from it.",
  });
}

function below(prefix: string, attributes: Attributes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );
}

function onePlatform(text: string): NonNullable<Wanted["request"]["platform"]> {
  if (!text.includes(",")) return parsePlatform(text);
  throw new GantryError("unsupported", {
    doing: "build for",
    on: text,
    because: "one build makes an image for one platform",
    next: "Build each platform by itself.",
  });
}

function noCache(attributes: Attributes): boolean {
  const stages = attributes["no-cache"];
  if (stages === undefined) return false;
  if (stages === "") return true;
  throw notHere("no-cache-filter", stages);
}

function network(mode: string): "default" | "none" | "host" {
  if (mode === "none" || mode === "host") return mode;
  if (mode === "" || mode === "sandbox") return "default";
  throw notHere("force-network-mode", mode);
}

function list(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((entry) => entry !== "");
}

const limitNames = [
  ["memory", "memory"],
  ["memswap", "memorySwap"],
  ["cpushares", "cpuShares"],
  ["cpuperiod", "cpuPeriod"],
  ["cpuquota", "cpuQuota"],
  ["shm-size", "shmSize"],
] as const;

function limits(attributes: Attributes): BuildLimits {
  const numbers = Object.fromEntries(
    limitNames.flatMap(([asked, own]) => {
      const text = attributes[asked] ?? "";
      return text === "" || text === "0" ? [] : [[own, integer(asked, text)]];
    }),
  );
  const ulimits = list(attributes.ulimit).map((entry) => {
    const [name = "", soft = "", hard = soft] = entry.split(/[=:]/);
    return { name, soft: integer("ulimit", soft), hard: integer("ulimit", hard) };
  });
  const cpusetCpus = attributes.cpusetcpus;
  return { ...numbers, ...(cpusetCpus ? { cpusetCpus } : {}), ...(ulimits.length === 0 ? {} : { ulimits }) };
}

function integer(name: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new GantryError("invalid", { doing: `read the build's ${name}`, on: text, because: "it is no whole number" });
}
