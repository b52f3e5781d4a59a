import { GantryError } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerConfig } from "#formats/docker/container.ts";
import type { ContainerConfig as ImageDefaults } from "#formats/oci/contract.ts";
import { canonicalReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import { flag } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { mergeEnv } from "../create/image-defaults.ts";
import { storedRequest } from "../shape/container.ts";

export function commitRoutes(engine: Engine): Route[] {
  return [{ method: "POST", path: "/commit", handle: (call) => commit(engine, call) }];
}

async function commit(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("commit the container");
  const container = call.query.get("container") ?? "";
  if (container === "") throw new GantryError("invalid", { doing: "commit", because: "no container was named" });
  const record = engine.containers.get(container);
  const asked = await call.json<ContainerConfig>();
  const repository = call.query.get("repo") ?? "";
  const tag = call.query.get("tag") ?? "";
  const name = repository === "" ? undefined : nameOf(repository, tag);
  const image = await engine.images.commit({
    container: record.id,
    config: imageConfig(storedRequest(record).config, asked),
    changes: call.query
      .getAll("changes")
      .flatMap((text) => text.split("\n"))
      .filter((line) => line.trim() !== ""),
    author: call.query.get("author") ?? "",
    comment: call.query.get("comment") ?? "",
    pause: flag(call.query, "pause", true),
    ...(name === undefined ? {} : { name }),
  });
  return { status: 201, json: { Id: image.id } };
}

function nameOf(repository: string, tag: string): string {
  return canonicalReference(withDefaultTag(parseReference(tag === "" ? repository : `${repository}:${tag}`)));
}

/** The container's own settings below what the request asks for: those an image can carry. */
function imageConfig(own: ContainerConfig, asked: ContainerConfig): ImageDefaults {
  const one = <K extends keyof ContainerConfig>(name: K): ContainerConfig[K] => {
    const value = asked[name];
    const empty = value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
    return empty ? own[name] : value;
  };
  const words = (value: readonly string[] | string | null | undefined) =>
    value === null || value === undefined ? [] : typeof value === "string" ? [value] : [...value];
  const check = one("Healthcheck");
  const { StopSignal, Shell } = { StopSignal: one("StopSignal"), Shell: one("Shell") };
  const timeout = one("StopTimeout");
  return {
    User: one("User") ?? "",
    ExposedPorts: { ...own.ExposedPorts, ...asked.ExposedPorts },
    Env: mergeEnv(own.Env ?? [], asked.Env ?? []),
    Entrypoint: words(one("Entrypoint")),
    Cmd: words(one("Cmd")),
    Volumes: { ...own.Volumes, ...asked.Volumes },
    WorkingDir: one("WorkingDir") ?? "",
    Labels: { ...own.Labels, ...asked.Labels },
    ...(StopSignal ? { StopSignal } : {}),
    ...(Shell ? { Shell } : {}),
    ...(typeof timeout === "number" ? { StopTimeout: timeout } : {}),
    ...(check ? { Healthcheck: check } : {}),
  };
}
