import type { Command } from "./contract.ts";

export interface Finished {
  readonly out: string;
  /** From just before the program is started until it is gone. */
  readonly milliseconds: number;
}

/** Runs a program; an error when it does not end with 0. */
export async function run(command: Command, input?: Blob): Promise<Finished> {
  const began = performance.now();
  const child = Bun.spawn([...command.words], {
    env: { ...process.env, ...command.env },
    stdin: input ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  const milliseconds = performance.now() - began;
  const [out, err] = await texts;
  if (code !== 0) throw new Error(`"${command.words.join(" ")}" ended with ${code}: ${err.trim().slice(-600)}`);
  return { out: out.trim(), milliseconds };
}

export async function text(...words: string[]): Promise<string> {
  return (await run({ words, env: {} })).out;
}

export function plain(...words: string[]): Command {
  return { words, env: {} };
}
