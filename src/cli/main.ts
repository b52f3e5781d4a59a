import { GantryError } from "#base/core/errors.ts";
import { commit, version } from "#base/core/version.ts";
import { complain } from "./complain.ts";
import { createContext } from "./context.ts";
import type { Context } from "./contract.ts";
import { groups, verbs } from "./verbs.ts";

/** Runs one command line (without the program's own name) and gives the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const { host, rest } = globalFlags(argv);
  const context = createContext(host);
  try {
    const words = ungroup(rest);
    if (words[0] === "__complete") return await complete(context, words.slice(1));
    const entry = verbs.find((candidate) => candidate.name === words[0]);
    if (entry === undefined) return overview(context, words);
    context.expectEngine();
    const { runVerb } = await import("./run-verb.ts");
    return await runVerb(context, entry, words.slice(1));
  } catch (error) {
    return complain(context, error);
  }
}

async function complete(context: Context, words: readonly string[]): Promise<number> {
  const { complete: answer } = await import("./complete.ts");
  return answer(context, words);
}

/** --host before the verb is the program's own, as `docker -H`. */
function globalFlags(argv: readonly string[]): { host: string | undefined; rest: readonly string[] } {
  let host: string | undefined;
  let at = 0;
  while (at < argv.length) {
    const word = argv[at]!;
    if ((word === "--host" || word === "-H") && at + 1 < argv.length) {
      host = argv[at + 1];
      at += 2;
    } else if (word.startsWith("--host=")) {
      host = word.slice("--host=".length);
      at += 1;
    } else break;
  }
  return { host, rest: argv.slice(at) };
}

function ungroup(words: readonly string[]): readonly string[] {
  const group = groups[words[0] ?? ""];
  const verb = group?.[words[1] ?? ""];
  return verb === undefined ? words : [...verb, ...words.slice(2)];
}

function overview(context: Context, words: readonly string[]): number {
  const [first] = words;
  if (first === "--version" || first === "-v") {
    context.stdout.write(`gantry version ${version}, build ${commit}\n`);
    return 0;
  }
  if (first !== undefined && !["help", "--help", "-h"].includes(first)) {
    throw new GantryError("invalid", {
      doing: "run",
      on: `gantry ${words.slice(0, groups[first] === undefined ? 1 : 2).join(" ")}`,
      because: "there is no such verb",
      next: `${nearest(first)}See 'gantry --help'.`,
      details: { usage: true },
    });
  }
  const width = Math.max(...verbs.map((entry) => entry.name.length));
  const lines = verbs.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.summary}`);
  context.stdout.write(
    `Usage: gantry [--host ADDRESS] VERB [OPTIONS] [ARGUMENTS]\n\nBuild, share and run containers.\n\n${lines.join("\n")}\n\n` +
      "Run 'gantry VERB --help' for more. Docker's grouped spellings (gantry container ls) work too.\n",
  );
  return 0;
}

function nearest(word: string): string {
  const close = verbs.find(({ name }) => name.startsWith(word) || word.startsWith(name) || swapped(name, word));
  return close === undefined ? "" : `Did you mean '${close.name}'? `;
}

/** Same letters in another order, or one letter more or less. */
function swapped(a: string, b: string): boolean {
  const sorted = (text: string) => [...text].sort().join("");
  if (Math.abs(a.length - b.length) > 1) return false;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return (
    sorted(a) === sorted(b) ||
    [...long].some((_, index) => long.slice(0, index) + long.slice(index + 1) === short) ||
    (a.length === b.length && [...a].filter((letter, index) => letter !== b[index]).length === 1)
  );
}
