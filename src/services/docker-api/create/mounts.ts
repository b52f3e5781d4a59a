import type { HostConfig } from "#formats/docker/container.ts";
import { checkTarget, type Propagation, propagations, refuseMount } from "./mount-place.ts";
import { fromMountPoint } from "./mount-points.ts";
import { parseTmpfs } from "./tmpfs.ts";

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
      /** Not what is mounted below the source. */
      readonly shallow?: boolean;
      /** What is mounted below it may be written. */
      readonly topReadonly?: boolean;
    }
  | {
      readonly kind: "volume";
      /** Absent: an anonymous one. */
      readonly name?: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly fill: boolean;
      readonly labels: Readonly<Record<string, string>>;
      readonly options: Readonly<Record<string, string>>;
      readonly subpath?: string;
    }
  | {
      readonly kind: "tmpfs";
      readonly target: string;
      readonly size?: number;
      readonly mode?: number;
      readonly options: readonly string[];
    }
  | { readonly kind: "image"; readonly image: string; readonly target: string; readonly subpath?: string };

/** "/host:/inside:ro", "name:/inside", "/inside". */
export function parseBind(text: string): WantedMount {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some((part) => part === "")) {
    throw refuseMount(text, "it is not of the form source:target[:options]");
  }
  const volume = { kind: "volume", labels: {}, options: {} } as const;
  if (parts.length === 1) return { ...volume, target: checkTarget(parts[0]!, text), readonly: false, fill: true };
  const [source, target, options] = parts as [string, string, string | undefined];
  const words = options === undefined ? [] : options.split(",");
  const unknown = words.filter((word) => !["ro", "rw", "z", "Z", "nocopy", ...propagations].includes(word));
  if (unknown.length > 0)
    throw refuseMount(
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
  return { ...volume, name: source, target: inside, readonly, fill: !words.includes("nocopy") };
}

/**
 * All mounts a create body asks for, in order; a target named twice is refused. Those `inherited` from other
 * containers and those the image declares give way to what is asked for by name.
 */
export function wantedMounts(
  host: HostConfig,
  declared: readonly string[],
  inherited: readonly WantedMount[] = [],
): WantedMount[] {
  const wanted: WantedMount[] = (host.Binds ?? []).map(parseBind);
  for (const mount of host.Mounts ?? []) wanted.push(fromMountPoint(mount));
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) wanted.push(parseTmpfs(target, options));
  const seen = new Set<string>();
  for (const mount of wanted) {
    if (seen.has(mount.target)) throw refuseMount(mount.target, "two mounts name the same path inside the container");
    seen.add(mount.target);
  }
  const giveWay = [
    ...inherited,
    ...declared.map((path): WantedMount => {
      const target = checkTarget(path, path);
      return { kind: "volume", target, readonly: false, fill: true, labels: {}, options: {} };
    }),
  ];
  for (const mount of giveWay) {
    if (seen.has(mount.target)) continue;
    seen.add(mount.target);
    wanted.push(mount);
  }
  return wanted;
}
