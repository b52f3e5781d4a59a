import type { Command, Option } from "commander";
import type { Client } from "#client/contract.ts";
import { createClient } from "#client/http-client.ts";
import type { ContainerSummary } from "#formats/docker/container.ts";
import type { ImageSummary } from "#formats/docker/image.ts";
import type { NetworkInspect } from "#formats/docker/network.ts";
import { type Candidate, fixedWords, type NameSource, namesOfArgument } from "./complete-words.ts";
import type { Context } from "./contract.ts";
import { declareVerb } from "./declare-verb.ts";
import { groups, verbs } from "./verbs.ts";

/** What an engine may take to name its things before the shell goes on without them. */
const patienceMilliseconds = 300;

/** Prints what the last of `words` could become, a candidate a line; nothing when there is nothing to say. */
export async function complete(context: Context, words: readonly string[]): Promise<number> {
  try {
    const typed = words[0] === "--" ? words.slice(1) : words;
    const candidates = await candidatesOf(context, typed);
    const current = typed.at(-1) ?? "";
    const fitting = candidates.filter(({ word }) => word.startsWith(current));
    context.stdout.write(fitting.map(({ word, what }) => `${word}\t${what}\n`).join(""));
  } catch {
    // A shell's prompt is no place for errors.
    return 1;
  }
  return 0;
}

async function candidatesOf(context: Context, words: readonly string[]): Promise<readonly Candidate[]> {
  let at = 0;
  let { host } = context;
  while (at + 1 < words.length && ["--host", "-H"].includes(words[at]!)) {
    host = words[at + 1]!;
    at += 2;
  }
  const [first = "", ...rest] = words.slice(at);
  const group = groups[first];
  if (rest.length === 0) return [...verbWords(), ...Object.keys(groups).map((word) => ({ word, what: "group" }))];
  if (group !== undefined && rest.length === 1) {
    return Object.keys(group).map((word) => ({ word, what: summaryOf(group[word]![0]!) }));
  }
  const [name, args] = group === undefined ? [first, rest] : [group[rest[0]!]?.[0] ?? "", rest.slice(1)];
  const entry = verbs.find((candidate) => candidate.name === name);
  if (entry === undefined) return [];
  const command = await declareVerb(entry, async () => undefined);
  return inCommand(command, name, args, () => createClient(host));
}

function verbWords(): Candidate[] {
  return verbs.map(({ name, summary }) => ({ word: name, what: summary }));
}

function summaryOf(verb: string): string {
  return verbs.find(({ name }) => name === verb)?.summary ?? "";
}

async function inCommand(
  command: Command,
  path: string,
  args: readonly string[],
  connect: () => Client,
): Promise<readonly Candidate[]> {
  const current = args.at(-1)!;
  let position = 0;
  let onlyArguments = false;
  for (let at = 0; at < args.length - 1; at++) {
    const word = args[at]!;
    const nested = position === 0 ? command.commands.find((inner) => named(inner, word)) : undefined;
    if (nested !== undefined) {
      return inCommand(nested as Command, `${path} ${nested.name()}`, args.slice(at + 1), connect);
    }
    if (word === "--") onlyArguments = true;
    else if (onlyArguments || !word.startsWith("-")) {
      position += 1;
      // The words after a container's program are that program's own.
      if (position === 1 && passesThrough(command)) onlyArguments = true;
    } else {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      if (option === undefined || !takesValue(option)) continue;
      if (at === args.length - 2) return valuesOf(option, path, connect);
      at += 1;
    }
  }
  if (current.startsWith("-") && !onlyArguments) return flags(command);
  const inner = position === 0 ? command.commands.map((item) => ({ word: item.name(), what: item.description() })) : [];
  return inner.length > 0 ? inner : names(namesOfArgument(path, position), connect);
}

function named(command: { name(): string; aliases(): readonly string[] }, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}

/** Run, create and exec: flags end at the first argument. */
function passesThrough(command: Command): boolean {
  return (command as unknown as { _passThroughOptions?: boolean })._passThroughOptions === true;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function flags(command: Command): Candidate[] {
  const own = command.options.flatMap((option) =>
    option.long === undefined || option.hidden ? [] : [{ word: option.long, what: option.description }],
  );
  return [...own, { word: "--help", what: "show help" }];
}

function valuesOf(option: Option, path: string, connect: () => Client): Promise<readonly Candidate[]> {
  const source = fixedWords(path, option.long ?? "");
  return typeof source === "string" ? names(source, connect) : Promise.resolve(source);
}

/** The engine's own names, when one answers in time; none is started for this. */
async function names(source: NameSource | readonly string[] | undefined, connect: () => Client): Promise<Candidate[]> {
  if (source === undefined) return [];
  if (typeof source !== "string") return source.map((word) => ({ word, what: "" }));
  const client = connect();
  const options = { signal: AbortSignal.timeout(patienceMilliseconds) };
  const containers = async (): Promise<Candidate[]> => {
    const list = await client.request<ContainerSummary[]>("GET", "/containers/json?all=1", options);
    return list
      .filter(({ State }) => source !== "running" || State === "running" || State === "paused")
      .map(({ Names, Id, Image, Status }) => ({
        word: (Names[0] ?? Id).replace(/^\//, ""),
        what: `${Image}, ${Status}`,
      }));
  };
  const images = async (): Promise<Candidate[]> => {
    const list = await client.request<ImageSummary[]>("GET", "/images/json", options);
    return list.flatMap(({ RepoTags }) => RepoTags.map((word) => ({ word, what: "image" })));
  };
  const volumes = async (): Promise<Candidate[]> => {
    const { Volumes } = await client.request<{ Volumes: { Name: string }[] | null }>("GET", "/volumes", options);
    return (Volumes ?? []).map(({ Name }) => ({ word: Name, what: "volume" }));
  };
  const networks = async (): Promise<Candidate[]> => {
    const list = await client.request<NetworkInspect[]>("GET", "/networks", options);
    return list.map(({ Name, Driver }) => ({ word: Name, what: `${Driver} network` }));
  };
  switch (source) {
    case "container":
    case "running":
      return containers();
    case "image":
      return images();
    case "volume":
      return volumes();
    case "network":
      return networks();
    case "any":
      return (await Promise.all([containers(), images(), volumes()])).flat();
  }
}
