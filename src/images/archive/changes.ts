import { GantryError } from "#base/core/errors.ts";
import type { Command, Instruction } from "#formats/dockerfile/contract.ts";
import { expandWord } from "#formats/dockerfile/expand.ts";
import { parseDockerfile } from "#formats/dockerfile/parse.ts";
import type { ContainerConfig, Healthcheck } from "#formats/oci/contract.ts";

/** Applies Dockerfile lines to a config, as `docker import --change` and `docker commit --change` do. */
export function applyChanges(config: ContainerConfig, lines: readonly string[]): ContainerConfig {
  let result = config;
  for (const line of lines) {
    // Parsed as what it would be in a Dockerfile, so that quoting and flags mean the same.
    const [stage] = parseDockerfile(`FROM scratch\n${line}\n`, "--change").stages;
    for (const instruction of stage!.instructions) result = apply(result, instruction, line);
  }
  return result;
}

function apply(config: ContainerConfig, change: Instruction, line: string): ContainerConfig {
  const text = (word: { readonly text: string }) => expandWord(word.text, () => undefined, "\\");
  switch (change.kind) {
    case "CMD":
      return { ...config, Cmd: argv(config, change.command) };
    case "ENTRYPOINT":
      return { ...config, Entrypoint: argv(config, change.command) };
    case "SHELL":
      return { ...config, Shell: [...change.words] };
    case "ENV": {
      const pairs = change.pairs.map(
        ({ name, value }) => [text(name), value === undefined ? "" : text(value)] as const,
      );
      const names = new Set(pairs.map(([name]) => name));
      const kept = (config.Env ?? []).filter((item) => !names.has(item.split("=", 1)[0]!));
      return { ...config, Env: [...kept, ...pairs.map(([name, value]) => `${name}=${value}`)] };
    }
    case "LABEL": {
      const labels = change.pairs.map(({ name, value }) => [text(name), value === undefined ? "" : text(value)]);
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
    }
    case "EXPOSE": {
      const ports = change.values.map((word) => text(word)).map((port) => (port.includes("/") ? port : `${port}/tcp`));
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...keySet(ports) } };
    }
    case "VOLUME":
      return { ...config, Volumes: { ...config.Volumes, ...keySet(change.values.map(text)) } };
    case "USER":
      return { ...config, User: text(change.value) };
    case "WORKDIR":
      return { ...config, WorkingDir: text(change.value) };
    case "STOPSIGNAL":
      return { ...config, StopSignal: text(change.value) };
    case "ONBUILD":
      return { ...config, OnBuild: [...(config.OnBuild ?? []), change.triggerText] };
    case "HEALTHCHECK": {
      const { command, interval, timeout, startPeriod, startInterval, retries } = change;
      const test =
        command === undefined
          ? ["NONE"]
          : command.form === "exec"
            ? ["CMD", ...command.words]
            : ["CMD-SHELL", command.line];
      const times = {
        Interval: interval,
        Timeout: timeout,
        StartPeriod: startPeriod,
        StartInterval: startInterval,
        Retries: retries,
      };
      const set = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0));
      return { ...config, Healthcheck: { Test: test, ...set } satisfies Healthcheck };
    }
    default:
      throw new GantryError("invalid", {
        doing: "change the image's config with",
        on: line,
        because: `${change.kind} needs a build`,
        next: "Use a Dockerfile with FROM and this line.",
      });
  }
}

function argv(config: ContainerConfig, command: Command): string[] {
  return command.form === "exec" ? [...command.words] : [...(config.Shell ?? ["/bin/sh", "-c"]), command.line];
}

function keySet(keys: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}
