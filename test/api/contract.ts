/**
 * The Engine API as its clients see it, in cases that hold for Docker's own engine too. `test/api` runs them against
 * Gantry; `test/oracle` runs them against both and compares what they answered.
 */
import type Docker from "dockerode";
import type { Result } from "../support/engine.ts";

export interface Answer {
  readonly status: number;
  /** The body as JSON, or as text when it is none. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** One engine under test, with an image "busybox" whose CMD is sh. Nothing a case makes is there for the next. */
export interface Api {
  readonly engine: "gantry" | "docker";
  readonly socket: string;
  readonly docker: Docker;
  /** A folder of the host for bind mounts and files. */
  readonly folder: string;
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The docker command line. */
  cli(words: readonly string[], input?: string): Promise<Result>;
}

/** What `run` gives is compared; it asserts by itself what must hold for both. */
export interface Case {
  readonly name: string;
  readonly run: (api: Api) => Promise<unknown>;
}
