import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { ContainerMount, VolumeUse } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerMount as ShownMount } from "#formats/docker/container.ts";
import { findImage } from "../find-image.ts";
import type { WantedMount } from "./mounts.ts";

export interface PlacedMounts {
  readonly specs: readonly ContainerMount[];
  readonly volumes: readonly VolumeUse[];
  /** As inspect shows them. */
  readonly shown: readonly ShownMount[];
  /** Empty volumes that get the image's content at their mount point. */
  readonly fills: readonly { readonly volume: string; readonly target: string }[];
}

type Placed = { readonly spec: ContainerMount; readonly shown: ShownMount };

/** Makes the volumes that are asked for. Errors: "invalid", "not-found", "conflict". */
export function placeMounts(engine: Engine, wanted: readonly WantedMount[]): PlacedMounts {
  const volumes: VolumeUse[] = [];
  const fills: { volume: string; target: string }[] = [];
  for (const mount of wanted) if (mount.kind === "bind") ensureSource(mount.source, mount.makeSource);
  const images = wanted.map((mount) => (mount.kind === "image" ? findImage(engine, mount.image).id : ""));
  const placed = wanted.map((mount, index): Placed => {
    if (mount.kind === "tmpfs") return placeTmpfs(mount);
    if (mount.kind === "bind") return placeBind(mount);
    if (mount.kind === "image") return placeImage(mount, images[index]!);
    const anonymous = mount.name === undefined;
    const { record } = engine.volumes.create({
      ...(mount.name === undefined ? {} : { name: mount.name }),
      labels: mount.labels,
      options: mount.options,
      anonymous,
    });
    volumes.push({ name: record.name, anonymous: anonymous || record.anonymous });
    if (mount.fill && readdirSync(record.path).length === 0) fills.push({ volume: record.name, target: mount.target });
    return placeVolume(mount, record);
  });
  return { specs: placed.map(({ spec }) => spec), shown: placed.map(({ shown }) => shown), volumes, fills };
}

function placeTmpfs({ kind: _kind, ...rest }: Extract<WantedMount, { kind: "tmpfs" }>): Placed {
  const shown = { Type: "tmpfs", Source: "", Destination: rest.target, Mode: "", RW: true, Propagation: "" };
  return { spec: { type: "tmpfs", ...rest }, shown };
}

function placeBind(mount: Extract<WantedMount, { kind: "bind" }>): Placed {
  const { source, target, readonly, propagation, shallow, topReadonly } = mount;
  return {
    spec: {
      type: "bind",
      source,
      target,
      readonly,
      ...(propagation === undefined ? {} : { propagation }),
      ...(shallow === true ? { shallow } : {}),
      ...(topReadonly === true ? { topReadonly } : {}),
    },
    shown: {
      Type: "bind",
      Source: source,
      Destination: target,
      Mode: readonly ? "ro" : "",
      RW: !readonly,
      Propagation: propagation ?? "rprivate",
    },
  };
}

function placeVolume(
  { target, readonly, subpath }: Extract<WantedMount, { kind: "volume" }>,
  { name, path }: { readonly name: string; readonly path: string },
): Placed {
  return {
    spec: { type: "bind", source: path, target, readonly, ...(subpath === undefined ? {} : { subpath }) },
    shown: {
      Type: "volume",
      Name: name,
      Source: path,
      Destination: target,
      Driver: "local",
      Mode: readonly ? "ro" : "z",
      RW: !readonly,
      Propagation: "",
    },
  };
}

function placeImage({ image, target, subpath }: Extract<WantedMount, { kind: "image" }>, id: string): Placed {
  return {
    spec: { type: "image", image: id, target, ...(subpath === undefined ? {} : { subpath }) },
    shown: { Type: "image", Source: image, Destination: target, Mode: "", RW: false, Propagation: "" },
  };
}

/** `-v /missing:/x` makes the folder, as in Docker; `--mount` says that it is missing. */
function ensureSource(source: string, make: boolean): void {
  if (existsSync(source)) return;
  if (!make) {
    throw new GantryError("invalid", {
      doing: "mount into the container",
      on: source,
      because: "bind source path does not exist on the host",
      next: "Make it first, or use -v, which makes a folder.",
    });
  }
  mkdirSync(source, { recursive: true });
}
