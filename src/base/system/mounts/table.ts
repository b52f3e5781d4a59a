import { readFileSync } from "node:fs";

/** One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly id: number;
  readonly parent: number;
  /** The folder of the file system that is shown here. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** "shared:1", "master:2", … ; empty for a private mount. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** The mounts a process sees, in the kernel's order; a later one on the same point hides an earlier one. */
export function readMountTable(process: number | "self" = "self"): readonly MountEntry[] {
  // The calling thread's view: a Worker may be in another mount namespace than the process.
  const file = process === "self" ? "/proc/thread-self/mountinfo" : `/proc/${process}/mountinfo`;
  return parseMountTable(readFileSync(file, "utf8"));
}

export function parseMountTable(text: string): readonly MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine)
    .filter((entry) => entry !== undefined);
}

function parseLine(line: string): MountEntry | undefined {
  const words = line.split(" ");
  const dash = words.indexOf("-", 6);
  if (dash < 0 || words.length < dash + 4) return undefined;
  return {
    id: Number(words[0]),
    parent: Number(words[1]),
    root: unescapeOctal(words[3]!),
    mountPoint: unescapeOctal(words[4]!),
    options: words[5]!.split(","),
    propagation: words.slice(6, dash),
    type: words[dash + 1]!,
    source: unescapeOctal(words[dash + 2]!),
    superOptions: words[dash + 3]!.split(","),
  };
}

function unescapeOctal(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
