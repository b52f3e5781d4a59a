import { GantryError } from "#base/core/errors.ts";
import type { MountPoint } from "#formats/docker/container.ts";
import { checkSubpath, checkTarget, propagations, refuseMount } from "./mount-place.ts";
import type { WantedMount } from "./mounts.ts";
import { tmpfsOf } from "./tmpfs.ts";

/** One entry of `Mounts`. Errors: "invalid", "not-found" for a driver that is not here. */
export function fromMountPoint(mount: MountPoint): WantedMount {
  const on = `${mount.Type} ${mount.Target}`;
  const target = checkTarget(mount.Target ?? "", on);
  const readonly = mount.ReadOnly === true;
  if (mount.Type === "bind") return bindOf(mount, { on, target, readonly });
  if (mount.Type === "volume") return volumeOf(mount, { on, target, readonly });
  if (mount.Type === "tmpfs") return tmpfsOf(mount, target);
  if (mount.Type === "image") {
    if (!mount.Source) throw refuseMount(on, "an image mount needs the image's name as its source");
    const subpath = mount.ImageOptions?.Subpath;
    return { kind: "image", image: mount.Source, target, ...(subpath ? { subpath: checkSubpath(subpath, on) } : {}) };
  }
  throw refuseMount(on, `the mount type ${String(mount.Type)} is not served`, "Use bind, volume, tmpfs or image.");
}

interface Place {
  readonly on: string;
  readonly target: string;
  readonly readonly: boolean;
}

function bindOf({ Source, BindOptions: asked }: MountPoint, { on, target, readonly }: Place): WantedMount {
  if (Source === undefined || !Source.startsWith("/"))
    throw refuseMount(on, "a bind mount needs an absolute source path");
  const wanted = asked?.Propagation ?? "";
  const propagation = propagations.find((word) => word === wanted);
  if (wanted !== "" && propagation === undefined) throw refuseMount(on, `the propagation ${wanted} is not known`);
  if (asked?.ReadOnlyForceRecursive === true && (!readonly || asked.NonRecursive === true)) {
    throw refuseMount(on, "read-only all the way down needs a mount that is read-only and recursive");
  }
  return {
    kind: "bind",
    source: Source,
    target,
    readonly,
    makeSource: asked?.CreateMountpoint === true,
    ...(propagation === undefined ? {} : { propagation }),
    ...(asked?.NonRecursive === true ? { shallow: true } : {}),
    ...(asked?.ReadOnlyNonRecursive === true ? { topReadonly: true } : {}),
  };
}

function volumeOf({ Source, VolumeOptions: asked }: MountPoint, { on, target, readonly }: Place): WantedMount {
  const driver = asked?.DriverConfig?.Name ?? "";
  if (driver !== "" && driver !== "local") {
    throw new GantryError("not-found", {
      doing: "make the volume",
      on,
      because: `plugin "${driver}" not found`,
      next: "Use the driver local.",
    });
  }
  const subpath = asked?.Subpath;
  if (subpath && !Source) throw refuseMount(on, "a part of a volume without a name is nothing", "Name the volume.");
  return {
    kind: "volume",
    ...(Source ? { name: Source } : {}),
    target,
    readonly,
    fill: asked?.NoCopy !== true && !subpath,
    labels: asked?.Labels ?? {},
    options: asked?.DriverConfig?.Options ?? {},
    ...(subpath ? { subpath: checkSubpath(subpath, on) } : {}),
  };
}
