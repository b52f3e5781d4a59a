import { join } from "node:path";

export const root = join(import.meta.dir, "../..");
const program = join(root, "bin/gantry");

export class CommandFailed extends Error {}

/** Shows the command, runs it in front of the user, and fails when it fails. */
export async function show(...words: string[]): Promise<void> {
  console.log(dim(`$ gantry ${words.map(quote).join(" ")}`));
  const child = Bun.spawn([program, ...words], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if ((await child.exited) !== 0) throw new CommandFailed(`gantry ${words[0]} ended with ${child.exitCode}`);
}

/** Runs the command and gives what it printed. */
export function ask(...words: string[]): Promise<string> {
  return askWith({}, ...words);
}

/** The same with some variables set: another data root is another engine. */
export async function askWith(env: Readonly<Record<string, string>>, ...words: string[]): Promise<string> {
  const child = Bun.spawn([program, ...words], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0)
    throw new CommandFailed(`gantry ${words.join(" ")} ended with ${child.exitCode}: ${err.trim()}`);
  return out.trim();
}

/** Starts the command and gives it while it runs. */
export function start(...words: string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  console.log(dim(`$ gantry ${words.map(quote).join(" ")} &`));
  return Bun.spawn([program, ...words], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const painted = (code: string) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = painted("1");
export const dim = painted("2");
export const green = painted("32");
export const red = painted("31");
