import { GantryError } from "#base/core/errors.ts";

export const propagations = ["rprivate", "private", "rshared", "shared", "rslave", "slave"] as const;
export type Propagation = (typeof propagations)[number];

export function refuseMount(on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", {
    doing: "mount into the container",
    on,
    because,
    ...(next === undefined ? {} : { next }),
  });
}

/** A place inside the container, without "." and doubled slashes. Errors: "invalid". */
export function checkTarget(target: string, on: string): string {
  if (!target.startsWith("/")) throw refuseMount(on, "the path inside the container is not absolute");
  if (target.includes("\0")) throw refuseMount(on, "the path holds a NUL");
  const clean = `/${target
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
  if (clean.split("/").includes("..")) throw refuseMount(on, "the path inside the container holds ..");
  if (clean === "/") throw refuseMount(on, "the container's root cannot be a mount point");
  // CVE-2019-16884, CVE-2019-19921: nothing may be laid over the kernel's own file systems.
  if (/^\/(proc|sys)(\/|$)/.test(clean) && !/^\/sys\/fs\/cgroup(\/|$)/.test(clean)) {
    throw refuseMount(on, `nothing may be mounted over ${clean.startsWith("/proc") ? "/proc" : "/sys"}`);
  }
  return clean;
}

/** A path below a volume or an image; the kernel keeps it inside, this only refuses what can never be meant. */
export function checkSubpath(subpath: string, on: string): string {
  if (subpath.startsWith("/")) throw refuseMount(on, "the subpath is absolute", "Name it from the volume's own root.");
  if (subpath.includes("\0")) throw refuseMount(on, "the subpath holds a NUL");
  if (subpath.split("/").includes("..")) throw refuseMount(on, "the subpath holds ..");
  return subpath;
}
