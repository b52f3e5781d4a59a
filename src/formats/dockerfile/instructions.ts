import { parseDuration } from "#formats/docker/duration.ts";
import type { Copy, From, Healthcheck, Instruction, Run, Word } from "./contract.ts";
import { type FlagKinds, InstructionLine } from "./line.ts";
import { parseMount } from "./mount.ts";
import { nearest } from "./nearest.ts";
import { placeError } from "./place.ts";
import type { LineReader } from "./source.ts";
import { blankSeparated, jsonSpans, jsonStrings } from "./words.ts";

interface Rule {
  readonly flags: FlagKinds;
  readonly heredocs?: true;
  readonly parse: (line: InstructionLine) => Instruction | From;
}

const none: FlagKinds = {};

/** Every instruction of the language with the flags it takes. */
const rules: Readonly<Record<string, Rule>> = {
  FROM: { flags: { platform: "text" }, parse: parseFrom },
  RUN: { flags: { mount: "list", network: "text", security: "text", device: "list" }, heredocs: true, parse: parseRun },
  COPY: {
    flags: {
      from: "text",
      chown: "text",
      chmod: "text",
      link: "switch",
      parents: "switch",
      exclude: "list",
    },
    heredocs: true,
    parse: parseCopy,
  },
  ADD: {
    flags: {
      chown: "text",
      chmod: "text",
      link: "switch",
      exclude: "list",
      checksum: "text",
      "keep-git-dir": "switch",
      unpack: "switch",
    },
    heredocs: true,
    parse: parseAdd,
  },
  ENV: {
    flags: none,
    parse: (line) => ({ kind: "ENV", ...line.common(), pairs: line.pairs({ legacy: true, valueOptional: false }) }),
  },
  LABEL: {
    flags: none,
    parse: (line) => ({ kind: "LABEL", ...line.common(), pairs: line.pairs({ legacy: true, valueOptional: false }) }),
  },
  ARG: {
    flags: none,
    parse: (line) => ({ kind: "ARG", ...line.common(), pairs: line.pairs({ legacy: false, valueOptional: true }) }),
  },
  CMD: { flags: none, parse: (line) => ({ kind: "CMD", ...line.common(), command: line.command() }) },
  ENTRYPOINT: { flags: none, parse: (line) => ({ kind: "ENTRYPOINT", ...line.common(), command: line.command() }) },
  SHELL: { flags: none, parse: parseShell },
  WORKDIR: { flags: none, parse: (line) => ({ kind: "WORKDIR", ...line.common(), value: line.single() }) },
  USER: { flags: none, parse: (line) => ({ kind: "USER", ...line.common(), value: line.single() }) },
  STOPSIGNAL: { flags: none, parse: (line) => ({ kind: "STOPSIGNAL", ...line.common(), value: line.single() }) },
  MAINTAINER: { flags: none, parse: (line) => ({ kind: "MAINTAINER", ...line.common(), value: line.single() }) },
  EXPOSE: { flags: none, parse: (line) => ({ kind: "EXPOSE", ...line.common(), values: severalWords(line, false) }) },
  VOLUME: { flags: none, parse: (line) => ({ kind: "VOLUME", ...line.common(), values: severalWords(line, true) }) },
  HEALTHCHECK: {
    flags: { interval: "text", timeout: "text", "start-period": "text", "start-interval": "text", retries: "text" },
    parse: parseHealthcheck,
  },
  ONBUILD: { flags: none, heredocs: true, parse: parseOnbuild },
};

export const instructionNames: readonly string[] = Object.keys(rules);

/** Parses the instruction at `line`; its heredocs are taken from `reader`. */
export function parseInstruction(line: InstructionLine, reader: LineReader): Instruction | From {
  const rule = ruleOf(line);
  // ONBUILD opens heredocs for the instruction it carries.
  const carries =
    line.keyword === "ONBUILD"
      ? ruleOf(new InstructionLine(line.source, line.line, line.escape, line.rest.start), true)
      : rule;
  if (carries?.heredocs) line.readHeredocs(reader);
  line.takeFlags(rule.flags);
  return rule.parse(line);
}

function ruleOf(line: InstructionLine): Rule;
function ruleOf(line: InstructionLine, lenient: true): Rule | undefined;
function ruleOf(line: InstructionLine, lenient = false): Rule | undefined {
  const rule = Object.hasOwn(rules, line.keyword) ? rules[line.keyword] : undefined;
  if (rule !== undefined || lenient) return rule;
  const shown = line.keyword.length > 60 ? `${line.keyword.slice(0, 60)}...` : line.keyword;
  const near = nearest(line.keyword, instructionNames);
  const because = `unknown instruction ${shown}`;
  throw placeError(line.source, line.keywordRange, because, near === undefined ? {} : { nearest: near });
}

function parseFrom(line: InstructionLine): From {
  const words = blankSeparated(line.rest.text, line.rest.start);
  const [image, as, name] = words;
  if (image === undefined) throw line.wrong("FROM needs an image");
  const platform = line.flagText("platform");
  const common = { kind: "FROM", ...line.common(), image: line.word(image) } as const;
  const withPlatform = platform === undefined ? common : { ...common, platform };
  if (as === undefined) return withPlatform;
  if (as.text.toUpperCase() !== "AS" || name === undefined || words.length > 3) {
    throw line.wrong("FROM takes IMAGE or IMAGE AS NAME", line.line.range(as.start, words.at(-1)!.end));
  }
  if (!/^[a-z][a-z0-9-_.]*$/i.test(name.text)) {
    const next = "A stage name starts with a letter and has letters, digits, - _ and . only.";
    throw line.wrong(`${JSON.stringify(name.text)} is no stage name`, line.line.range(name.start, name.end), next);
  }
  return { ...withPlatform, name: line.word(name) };
}

function parseRun(line: InstructionLine): Run {
  const mounts = line.flags
    .filter((flag) => flag.name === "mount")
    .map((flag) => parseMount(flag.value ?? "", flag.range, line.source));
  const network = line.flag("network");
  const security = line.flag("security");
  if (line.rest.text === "") throw line.wrong("RUN needs a command");
  return {
    kind: "RUN",
    ...line.common(),
    command: line.heredocs.length > 0 ? { form: "shell", line: line.rest.text } : line.command(),
    heredocs: line.heredocs,
    mounts,
    network: oneOf(line, "network", network?.value ?? "default", ["default", "none", "host"] as const),
    security: oneOf(line, "security", security?.value ?? "sandbox", ["sandbox", "insecure"] as const),
    devices: line.flags.filter((flag) => flag.name === "device"),
  };
}

function oneOf<T extends string>(line: InstructionLine, name: string, value: string, known: readonly T[]): T {
  const match = known.find((candidate) => candidate === value);
  if (match !== undefined) return match;
  const near = nearest(value, known);
  const because = `--${name} is ${JSON.stringify(value)}, it can be ${known.join(", ")}`;
  throw placeError(line.source, line.flag(name)!.range, because, near === undefined ? {} : { nearest: near });
}

function sourcesAndDestination(line: InstructionLine): { sources: readonly Word[]; destination: Word } {
  const spans = jsonSpans(line.rest.text, line.rest.start) ?? blankSeparated(line.rest.text, line.rest.start);
  if (spans.length < 2) {
    throw line.wrong(`${line.keyword} needs at least one source and a destination`);
  }
  const words = spans.map((span) => line.word(span));
  return { sources: words.slice(0, -1), destination: words.at(-1)! };
}

function optional(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) out[key] = value;
  return out;
}

function parseCopy(line: InstructionLine): Copy {
  const from = line.flag("from");
  if (from !== undefined && line.heredocs.length > 0)
    throw line.wrong("a heredoc cannot be copied --from a stage", from.range);
  return {
    kind: "COPY",
    ...line.common(),
    ...sourcesAndDestination(line),
    heredocs: line.heredocs,
    ...(from === undefined ? {} : { from }),
    ...optional({ chown: line.flagText("chown"), chmod: line.flagText("chmod") }),
    link: line.flagSwitch("link") ?? false,
    parents: line.flagSwitch("parents") ?? false,
    exclude: line.flagList("exclude"),
  };
}

function parseAdd(line: InstructionLine): Instruction {
  const unpack = line.flagSwitch("unpack");
  return {
    kind: "ADD",
    ...line.common(),
    ...sourcesAndDestination(line),
    heredocs: line.heredocs,
    ...optional({
      chown: line.flagText("chown"),
      chmod: line.flagText("chmod"),
      checksum: line.flagText("checksum"),
    }),
    link: line.flagSwitch("link") ?? false,
    exclude: line.flagList("exclude"),
    keepGitDir: line.flagSwitch("keep-git-dir") ?? false,
    ...(unpack === undefined ? {} : { unpack }),
  };
}

function parseShell(line: InstructionLine): Instruction {
  const words = jsonStrings(line.rest.text);
  if (words === undefined || words.length === 0) {
    throw line.wrong(
      "SHELL needs a JSON array",
      line.line.range(line.rest.start, line.rest.end),
      'Write SHELL ["/bin/bash", "-c"].',
    );
  }
  return { kind: "SHELL", ...line.common(), words };
}

function severalWords(line: InstructionLine, json: boolean): Word[] {
  const list = json ? jsonSpans(line.rest.text, line.rest.start) : undefined;
  const spans = list ?? blankSeparated(line.rest.text, line.rest.start);
  if (spans.length === 0) throw line.wrong(`${line.keyword} needs at least one value`);
  return spans.map((span) => line.word(span));
}

function parseHealthcheck(line: InstructionLine): Healthcheck {
  const duration = (name: string) => {
    const flag = line.flag(name);
    if (flag === undefined) return 0;
    const value = parseDuration(flag.value ?? "");
    if (value === undefined || value < 0 || (value !== 0 && value < 1e6)) {
      throw line.wrong(
        `--${name} is ${JSON.stringify(flag.value)}, it needs 1ms or more`,
        flag.range,
        "Write it as 30s or 1m30s.",
      );
    }
    return value;
  };
  const retries = line.flag("retries");
  if (retries !== undefined && !/^\d+$/.test(retries.value ?? "")) {
    throw line.wrong(`--retries is ${JSON.stringify(retries.value)}, it needs a whole number`, retries.range);
  }
  const times = {
    interval: duration("interval"),
    timeout: duration("timeout"),
    startPeriod: duration("start-period"),
    startInterval: duration("start-interval"),
    retries: retries === undefined ? 0 : Number(retries.value),
  };
  const word = /^\S*/.exec(line.rest.text)![0];
  const type = word.toUpperCase();
  const common = { kind: "HEALTHCHECK", ...line.common(), ...times } as const;
  const afterWord = line.rest.text.slice(word.length);
  const rest = { text: afterWord.trimStart(), start: line.rest.end - afterWord.trimStart().length, end: line.rest.end };
  if (type === "NONE") {
    if (rest.text !== "") throw line.wrong("HEALTHCHECK NONE takes nothing more");
    return common;
  }
  if (type !== "CMD") {
    throw line.wrong(
      `HEALTHCHECK needs CMD or NONE, not ${JSON.stringify(word)}`,
      line.line.range(line.rest.start, line.rest.start + word.length),
    );
  }
  if (rest.text === "") throw line.wrong("HEALTHCHECK CMD needs a command");
  return { ...common, command: line.command(rest) };
}

function parseOnbuild(line: InstructionLine): Instruction {
  if (line.rest.text === "") throw line.wrong("ONBUILD needs an instruction");
  const inner = new InstructionLine(line.source, line.line, line.escape, line.rest.start);
  const rule = ruleOf(inner);
  if (inner.keyword === "ONBUILD") throw line.wrong("ONBUILD ONBUILD is not allowed", inner.keywordRange);
  if (inner.keyword === "FROM" || inner.keyword === "MAINTAINER") {
    throw line.wrong(`ONBUILD ${inner.keyword} is not allowed`, inner.keywordRange);
  }
  inner.heredocs = line.heredocs;
  inner.takeFlags(rule.flags);
  const trigger = rule.parse(inner) as Instruction;
  const bodies = line.heredocs.map((heredoc) => `\n${heredoc.body}${heredoc.name}`).join("");
  return { kind: "ONBUILD", ...line.common(), trigger, triggerText: inner.text + bodies };
}
