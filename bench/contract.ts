/**
 * The bench: the same work on Gantry and its rivals, in alternation, on one machine, in one run.
 *
 * A `Case` gives rows; a row is one piece of work with samples for each contender. Bars of the issue are judged on
 * medians. Engines start when a case asks for them and end with the run, with all they made on the machine.
 */
import type Docker from "dockerode";

export type ContenderName = string;

/** ms: milliseconds, lower is better. rate: work a second, higher is better. MB: 2^20 bytes. %: of one processor. */
export type Unit = "ms" | "per s" | "MB" | "MB/s" | "%" | "mounts";

/** What the samples of Gantry must keep to. `ratio` is Gantry's median over the rival's. */
export type Bar =
  | { readonly kind: "ratio-at-most"; readonly rival: ContenderName; readonly value: number }
  | { readonly kind: "ratio-at-least"; readonly rival: ContenderName; readonly value: number }
  | { readonly kind: "at-least"; readonly value: number }
  | { readonly kind: "at-most"; readonly value: number; readonly yardstick?: boolean };

export interface Row {
  readonly work: string;
  readonly unit: Unit;
  /** By contender, "gantry" first; in the order they were taken. */
  readonly samples: ReadonlyMap<ContenderName, readonly number[]>;
  readonly bars: readonly Bar[];
  readonly note?: string;
}

export interface Case {
  /** For --only. */
  readonly name: string;
  measure(bench: Bench): Promise<readonly Row[]>;
}

export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A program that runs containers, started for this run alone. The image "busybox" is in it. */
export interface Engine extends AsyncDisposable {
  readonly name: ContenderName;
  readonly version: string;
  /** What a user types, as words and variables. */
  command(...words: string[]): Command;
  /** Words that remove running containers at once. */
  readonly remove: readonly string[];
  /** Name of the busybox image. */
  readonly image: string;
  /** Process ids of the engine's own processes, not of containers or their monitors. Empty without a daemon. */
  processes(): Promise<readonly number[]>;
}

export interface ApiEngine extends Engine {
  readonly api: Docker;
  /** Ends the daemon and times its start until it answers, in milliseconds. */
  restart(): Promise<number>;
}

/** Runs a Dockerfile build; the folder is a context, the tag differs between contexts. */
export interface Builder {
  readonly name: ContenderName;
  build(folder: string, tag: string, cold: boolean): Command;
}

export interface Bench {
  /** Samples a row and contender; cases that take long use fewer. */
  readonly runs: number;
  /** A folder of this run, removed at its end. */
  readonly scratch: string;
  gantry(): Promise<ApiEngine>;
  docker(): Promise<ApiEngine>;
  podman(): Promise<Engine>;
  builders(): Promise<readonly Builder[]>;
  /** Undone at the end of the run, last first; a signal does it too. */
  readonly undo: Undo;
  say(text: string): void;
}

export interface Undo {
  /** Returns a handle that undoes now, and only once. */
  add(what: string, action: () => Promise<void> | void): () => Promise<void>;
}

export interface Machine {
  readonly commit: string;
  readonly date: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryMegabytes: number;
  readonly kernel: string;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  /** Median of `bun -e 0`, milliseconds. Absolute bars count where it is at most 25. */
  readonly yardstick: number;
}

export interface Report {
  readonly machine: Machine;
  readonly rows: readonly Row[];
  /** Cases that could not be measured, and why. */
  readonly failures: readonly { readonly name: string; readonly because: string }[];
}
