/**
 * One verb, one file. A verb declares its flags on a commander command and runs against a context; it prints through
 * the context only, so that what it says can be tested.
 */
import type { Command } from "commander";
import type { Client } from "#client/contract.ts";

export interface Context {
  /** Connects, starting the engine when none answers. */
  client(): Promise<Client>;
  /** Begins to look for the engine, while the verb is still being loaded. Starts none. */
  expectEngine(): void;
  /** The engine's address, whether or not it runs. */
  readonly host: string;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface Terminal {
  readonly isTerminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
  write(text: string | Uint8Array): void;
}

/** The process's exit code; undefined is 0. */
export type VerbResult = number | undefined;

export interface Verb {
  /** Adds flags and arguments, and the action that ends in `done`. */
  declare(command: Command, run: (act: (context: Context) => Promise<VerbResult>) => Promise<void>): void;
}
