import type {
  Add,
  Arg,
  CommandInstruction,
  Copy,
  Healthcheck,
  Instruction,
  KeyValue,
  Run,
  Several,
  Shell,
  Single,
  Workdir,
} from "#formats/dockerfile/contract.ts";
import type { ContainerConfig } from "#formats/oci/contract.ts";
import { type ImageDraft, withConfig } from "./image-draft.ts";
import type { Places } from "./places.ts";
import type { StageVariables } from "./variables.ts";

/** Instructions that change the config only. */
export type Metadata = Exclude<Instruction, Run | Copy | Add | Arg | Workdir>;

const defaultShell = ["/bin/sh", "-c"];

/** The words a shell-form command becomes. */
export function withShell(config: ContainerConfig, line: string): string[] {
  return [...(config.Shell ?? defaultShell), line];
}

/** Gives the draft after the instruction; ENV also changes `variables`. */
export function applyMetadata(
  draft: ImageDraft,
  instruction: Metadata,
  variables: StageVariables,
  places: Places,
): ImageDraft {
  const { config } = draft;
  switch (instruction.kind) {
    case "ENV": {
      // One instruction sees the values from before it: ENV a=b c=$a.
      for (const [name, value] of expandPairs(instruction.pairs, variables, places)) variables.env.set(name, value);
      return withConfig(draft, { Env: [...variables.env].map(([name, value]) => `${name}=${value}`) });
    }
    case "LABEL":
      return withConfig(draft, {
        Labels: { ...config.Labels, ...Object.fromEntries(expandPairs(instruction.pairs, variables, places)) },
      });
    case "CMD":
      return { ...withConfig(draft, { Cmd: commandWords(config, instruction) }), ownCommand: true };
    case "ENTRYPOINT": {
      const next = withConfig(draft, { Entrypoint: commandWords(config, instruction) });
      return draft.ownCommand ? next : withConfig(next, { Cmd: [] });
    }
    case "SHELL":
      return withConfig(draft, { Shell: (instruction satisfies Shell).words });
    case "USER":
      return withConfig(draft, { User: places.word(instruction.value, variables.lookup) });
    case "STOPSIGNAL":
      return withConfig(draft, { StopSignal: stopSignal(instruction, variables, places) });
    case "MAINTAINER":
      return { ...draft, author: instruction.value.text };
    case "EXPOSE":
      return withConfig(draft, {
        ExposedPorts: { ...config.ExposedPorts, ...exposedPorts(instruction, variables, places) },
      });
    case "VOLUME": {
      const paths = instruction.values.map((word) => places.word(word, variables.lookup));
      return withConfig(draft, {
        Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}] as const)) },
      });
    }
    case "HEALTHCHECK":
      return withConfig(draft, { Healthcheck: healthcheck(instruction) });
    case "ONBUILD":
      return withConfig(draft, { OnBuild: [...(config.OnBuild ?? []), instruction.triggerText] });
  }
}

function expandPairs(pairs: readonly KeyValue[], variables: StageVariables, places: Places): [string, string][] {
  return pairs.map((pair) => {
    const name = places.word(pair.name, variables.lookup);
    if (name === "") throw places.wrong(pair.name.range, "the name is empty once its variables are filled in");
    return [name, pair.value === undefined ? "" : places.word(pair.value, variables.lookup)];
  });
}

function commandWords(config: ContainerConfig, instruction: CommandInstruction): readonly string[] {
  const { command } = instruction;
  if (command.form === "exec") return command.words;
  return command.line === "" ? [] : withShell(config, command.line);
}

function stopSignal(instruction: Single, variables: StageVariables, places: Places): string {
  const text = places.word(instruction.value, variables.lookup);
  const known = /^(?:SIG)?(?:RTM(?:IN|AX)(?:[+-]\d{1,2})?|[A-Z][A-Z0-9]{1,6})$/i.test(text);
  const number = /^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64;
  if (known || number) return text;
  throw places.wrong(instruction.value.range, `${JSON.stringify(text)} is no signal`, "Write it as SIGTERM or 15.");
}

function exposedPorts(
  instruction: Several,
  variables: StageVariables,
  places: Places,
): Record<string, Record<string, never>> {
  const ports: Record<string, Record<string, never>> = {};
  for (const word of instruction.values) {
    for (const text of places.words(word, variables.lookup)) {
      const match = /^(?:[^:]*:)?(?:\d*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
      const first = Number(match?.[1]);
      const last = Number(match?.[2] ?? match?.[1]);
      if (match === null || first < 1 || last > 65535 || last < first) {
        throw places.wrong(word.range, `${JSON.stringify(text)} is no port`, "Write it as 80, 80/udp or 8000-8010.");
      }
      const protocol = (match[3] ?? "tcp").toLowerCase();
      for (let port = first; port <= last; port++) ports[`${port}/${protocol}`] = {};
    }
  }
  return ports;
}

function healthcheck(instruction: Healthcheck): NonNullable<ContainerConfig["Healthcheck"]> {
  const { command } = instruction;
  if (command === undefined) return { Test: ["NONE"] };
  const test = command.form === "exec" ? ["CMD", ...command.words] : ["CMD-SHELL", command.line];
  return {
    Test: test,
    ...(instruction.interval === 0 ? {} : { Interval: instruction.interval }),
    ...(instruction.timeout === 0 ? {} : { Timeout: instruction.timeout }),
    ...(instruction.startPeriod === 0 ? {} : { StartPeriod: instruction.startPeriod }),
    ...(instruction.startInterval === 0 ? {} : { StartInterval: instruction.startInterval }),
    ...(instruction.retries === 0 ? {} : { Retries: instruction.retries }),
  };
}
