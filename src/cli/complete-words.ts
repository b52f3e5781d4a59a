import { shells } from "./completion-scripts.ts";

export interface Candidate {
  readonly word: string;
  /** What it is, for shells that show it. */
  readonly what: string;
}

/** Names only an engine knows. */
export type NameSource = "container" | "running" | "image" | "volume" | "network" | "any";

interface ArgumentNames {
  readonly names: NameSource | readonly string[];
  /** How many arguments are such names; the rest is file names or the user's own words. */
  readonly count: number;
}

const all = Number.POSITIVE_INFINITY;

function each(verbs: string, names: ArgumentNames["names"], count: number): [string, ArgumentNames][] {
  return verbs.split(" ").map((verb) => [verb, { names, count }]);
}

const byVerb: ReadonlyMap<string, ArgumentNames> = new Map([
  ...each("start rm wait restart", "container", all),
  ...each("stop kill pause unpause stats", "running", all),
  ...each("exec attach top", "running", 1),
  ...each("logs rename diff port publish unpublish", "container", 1),
  ...each("run create history push pull tag images", "image", 1),
  ...each("rmi save", "image", all),
  ...each("inspect", "any", all),
  ["volume rm", { names: "volume", count: all }],
  ["network rm", { names: "network", count: all }],
  ["network inspect", { names: "network", count: all }],
  ["network connect", { names: "network", count: 1 }],
  ["network disconnect", { names: "network", count: 1 }],
  ["volume inspect", { names: "volume", count: all }],
  ["completion", { names: shells, count: 1 }],
  ["prune", { names: ["containers", "images", "volumes", "cache"], count: all }],
  ["bootstrap", { names: ["debian:bookworm", "debian:trixie", "debian:sid"], count: 1 }],
]);

/** What stands at a verb's argument; undefined for file names and free words. `path` is "rm" or "volume rm". */
export function namesOfArgument(path: string, position: number): NameSource | readonly string[] | undefined {
  const found = byVerb.get(path);
  return found === undefined || position >= found.count ? undefined : found.names;
}

const valueWords: Readonly<Record<string, readonly string[]>> = {
  "--format": ["json", "table"],
  "--type": ["container", "image", "volume", "network"],
  "--pull": ["always", "missing", "never"],
  "--restart": ["no", "always", "on-failure", "unless-stopped"],
  "--ipc": ["private", "host"],
  "--variant": ["minbase", "apt", "essential", "required", "important", "standard", "buildd"],
  "--platform": ["linux/amd64", "linux/arm64"],
  "--attach": ["stdin", "stdout", "stderr"],
  "--driver": ["local"],
  "--log-driver": ["json-file"],
  "--signal": ["TERM", "KILL", "HUP", "INT", "QUIT", "USR1", "USR2"],
};

/** What may follow a flag: words, or names of the engine; no word means file names. */
export function fixedWords(path: string, flag: string): readonly Candidate[] | NameSource {
  if (flag === "--volume" && (path === "run" || path === "create")) return "volume";
  if (flag === "--volumes-from") return "container";
  if (flag === "--network" || flag === "--net") return "network";
  return (valueWords[flag] ?? []).map((word) => ({ word, what: "" }));
}
