import { GantryError } from "#base/core/errors.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/**
 * Every way to ask for a mount (Binds, Mounts, VolumesFrom, Volumes, Tmpfs) becomes one of these; there is one
 * normaliser and one check, so no way in is weaker than another (CVE-2026-6406).
 */
export type WantedMount =
  | {
      readonly kind: "bind";
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly makeSource: boolean;
      readonly propagation?: Propagation;
    }
  | {
      readonly kind: "volume";
      /** Absent: an anonymous one. */
      readonly name?: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly fill: boolean;
      readonly labels: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "tmpfs";
      readonly target: string;
      readonly size?: number;
      readonly mode?: number;
      readonly options: readonly string[];
    };

const propagations = ["rprivate", "private", "rshared", "shared", "rslave", "slave"] as const;
type Propagation = (typeof propagations)[number];

function refuse(on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", {
    doing: "mount into the container",
    on,
    because,
    ...(next === undefined ? {} : { next }),
  });
}

function checkTarget(target: string, on: string): string {
  if (!target.startsWith("/")) throw refuse(on, "the path inside the container is not absolute");
  if (target.includes("\0")) throw refuse(on, "the path holds a NUL");
  const clean = `/${target
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
  if (clean.split("/").includes("..")) throw refuse(on, "the path inside the container holds ..");
  if (clean === "/") throw refuse(on, "the container's root cannot be a mount point");
  // CVE-2019-16884, CVE-2019-19921: nothing may be laid over the kernel's own file systems.
  if (/^\/(proc|sys)(\/|$)/.test(clean) && !/^\/sys\/fs\/cgroup(\/|$)/.test(clean)) {
    throw refuse(on, `nothing may be mounted over ${clean.startsWith("/proc") ? "/proc" : "/sys"}`);
  }
  return clean;
}

/** "/host:/inside:ro", "name:/inside", "/inside". */
export function parseBind(text: string): WantedMount {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some((part) => part === "")) {
    throw refuse(text, "it is not of the form source:target[:options]");
  }
  if (parts.length === 1) {
    return { kind: "volume", target: checkTarget(parts[0]!, text), readonly: false, fill: true, labels: {} };
  }
  const [source, target, options] = parts as [string, string, string | undefined];
  const words = options === undefined ? [] : options.split(",");
  const unknown = words.filter((word) => !["ro", "rw", "z", "Z", "nocopy", ...propagations].includes(word));
  if (unknown.length > 0)
    throw refuse(
      text,
      `the option ${unknown[0]} is not known`,
      `Known are ro, rw, nocopy and ${propagations.join(", ")}.`,
    );
  const readonly = words.includes("ro");
  const propagation = propagations.find((word) => words.includes(word));
  const inside = checkTarget(target, text);
  if (source.startsWith("/")) {
    return {
      kind: "bind",
      source,
      target: inside,
      readonly,
      makeSource: true,
      ...(propagation === undefined ? {} : { propagation }),
    };
  }
  return { kind: "volume", name: source, target: inside, readonly, fill: !words.includes("nocopy"), labels: {} };
}

/** tmpfs options as in `--tmpfs /run:rw,size=64m,mode=1777`. */
export function parseTmpfs(target: string, options: string): WantedMount {
  let size: number | undefined;
  let mode: number | undefined;
  const rest: string[] = [];
  for (const word of options.split(",").filter((option) => option !== "")) {
    const [name, value] = word.split("=", 2) as [string, string | undefined];
    if (name === "size" && value !== undefined) size = parseSize(value, word);
    else if (name === "mode" && value !== undefined) mode = Number.parseInt(value, 8);
    else if (name !== "rw") rest.push(word);
  }
  return {
    kind: "tmpfs",
    target: checkTarget(target, target),
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode }),
    options: rest,
  };
}

function parseSize(value: string, on: string): number {
  const match = /^(\d+)([kmgt]?)b?$/i.exec(value);
  if (match === null) throw refuse(on, "the size is no number of bytes, nor one with k, m or g behind it");
  const power = { "": 0, k: 1, m: 2, g: 3, t: 4 }[match[2]!.toLowerCase()] ?? 0;
  return Number(match[1]) * 1024 ** power;
}

/** All mounts a create body asks for, in order; a target named twice is refused. */
export function wantedMounts(host: HostConfig, declared: readonly string[]): WantedMount[] {
  const wanted: WantedMount[] = (host.Binds ?? []).map(parseBind);
  for (const mount of host.Mounts ?? []) {
    const on = `${mount.Type} ${mount.Target}`;
    const target = checkTarget(mount.Target ?? "", on);
    const readonly = mount.ReadOnly === true;
    if (mount.Type === "bind") {
      if (mount.Source === undefined || !mount.Source.startsWith("/"))
        throw refuse(on, "a bind mount needs an absolute source path");
      const propagation = propagations.find((word) => word === mount.BindOptions?.Propagation);
      wanted.push({
        kind: "bind",
        source: mount.Source,
        target,
        readonly,
        makeSource: mount.BindOptions?.CreateMountpoint === true,
        ...(propagation === undefined ? {} : { propagation }),
      });
    } else if (mount.Type === "volume") {
      wanted.push({
        kind: "volume",
        ...(mount.Source === undefined || mount.Source === "" ? {} : { name: mount.Source }),
        target,
        readonly,
        fill: mount.VolumeOptions?.NoCopy !== true,
        labels: mount.VolumeOptions?.Labels ?? {},
      });
    } else if (mount.Type === "tmpfs") {
      wanted.push({
        kind: "tmpfs",
        target,
        ...(mount.TmpfsOptions?.SizeBytes === undefined ? {} : { size: mount.TmpfsOptions.SizeBytes }),
        ...(mount.TmpfsOptions?.Mode === undefined ? {} : { mode: mount.TmpfsOptions.Mode }),
        options: [],
      });
    } else {
      throw refuse(on, `the mount type ${String(mount.Type)} is not served`, "Use bind, volume or tmpfs.");
    }
  }
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) wanted.push(parseTmpfs(target, options));
  const seen = new Set<string>();
  for (const mount of wanted) {
    if (seen.has(mount.target)) throw refuse(mount.target, "two mounts name the same path inside the container");
    seen.add(mount.target);
  }
  for (const path of declared) {
    const target = checkTarget(path, path);
    if (seen.has(target)) continue;
    seen.add(target);
    wanted.push({ kind: "volume", target, readonly: false, fill: true, labels: {} });
  }
  return wanted;
}
