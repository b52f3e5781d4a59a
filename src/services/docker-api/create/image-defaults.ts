import { GantryError } from "#base/core/errors.ts";
import type { ContainerConfig } from "#formats/docker/container.ts";
import type { ContainerConfig as ImageDefaults } from "#formats/oci/contract.ts";

/** "a b" becomes ["a b"]: older clients send a bare string. */
function words(value: readonly string[] | string | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/** The user's variables over the image's, by name; a name alone ("FOO") takes the image's away, as in Docker. */
export function mergeEnv(image: readonly string[], user: readonly string[]): string[] {
  const merged = new Map<string, string | undefined>();
  for (const entry of image) merged.set(entry.split("=", 1)[0]!, entry);
  for (const entry of user) {
    const name = entry.split("=", 1)[0]!;
    merged.set(name, entry.includes("=") ? entry : undefined);
  }
  return [...merged.values()].filter((entry) => entry !== undefined);
}

/** What the user asked for over what the image says (the rules of Docker's `merge`). */
export function withImageDefaults(asked: ContainerConfig, image: ImageDefaults): ContainerConfig {
  const askedEntrypoint =
    asked.Entrypoint === undefined || asked.Entrypoint === null ? undefined : words(asked.Entrypoint);
  // [""] and [] both mean: no entrypoint at all, and then the image's CMD does not apply either.
  const entrypointReset = askedEntrypoint !== undefined && askedEntrypoint.join("") === "";
  const entrypoint = askedEntrypoint === undefined ? (image.Entrypoint ?? []) : entrypointReset ? [] : askedEntrypoint;
  const askedCmd = words(asked.Cmd);
  const cmd = askedCmd.length > 0 || askedEntrypoint !== undefined ? askedCmd : (image.Cmd ?? []);
  const merged: ContainerConfig = {
    ...asked,
    User: asked.User || image.User || "",
    WorkingDir: asked.WorkingDir || image.WorkingDir || "",
    Env: mergeEnv(image.Env ?? [], asked.Env ?? []),
    Entrypoint: entrypoint.length === 0 ? null : entrypoint,
    Cmd: cmd.length === 0 ? null : cmd,
    Labels: { ...image.Labels, ...asked.Labels },
    ExposedPorts: { ...image.ExposedPorts, ...asked.ExposedPorts },
    Volumes: { ...image.Volumes, ...asked.Volumes },
    ...pick("StopSignal", asked.StopSignal || image.StopSignal),
    ...pick("StopTimeout", asked.StopTimeout ?? image.StopTimeout),
    ...pick("Healthcheck", mergeHealthcheck(asked.Healthcheck, image.Healthcheck)),
    ...pick("Shell", asked.Shell ?? image.Shell),
  };
  if (entrypoint.length + cmd.length === 0) {
    throw new GantryError("invalid", {
      doing: "create the container",
      ...(asked.Image === undefined ? {} : { on: asked.Image }),
      because: "no command specified: neither the image nor the request says what to run",
      next: "Name a command after the image.",
    });
  }
  return merged;
}

/** Times given without a command hold for the image's own check. */
function mergeHealthcheck(
  asked: ContainerConfig["Healthcheck"],
  image: ImageDefaults["Healthcheck"],
): ContainerConfig["Healthcheck"] | undefined {
  if (asked === undefined || asked === null) return image;
  return (asked.Test ?? []).length > 0 ? asked : { ...image, ...asked, Test: image?.Test ?? [] };
}

function pick<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}

/** The program and its arguments. */
export function commandLine(config: ContainerConfig): readonly string[] {
  return [...words(config.Entrypoint), ...words(config.Cmd)];
}
