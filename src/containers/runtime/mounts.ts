import { statSync } from "node:fs";
import { posix } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { MountSpec as OciMount } from "#formats/oci/runtime-spec.ts";
import type { ContainerSpec, MountSpec } from "./contract.ts";

export const defaultShmSize = 64 * 1024 * 1024;

/** The file systems every container has. /dev is always a fresh one (CVE-2026-88264): an image's own is covered. */
export function kernelMounts(spec: Pick<ContainerSpec, "privileged" | "shmSize" | "namespaces">): OciMount[] {
  const write = spec.privileged ? "rw" : "ro";
  const hostIpc = spec.namespaces.ipc?.kind === "host";
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", write] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["nosuid", "noexec", "nodev", "relatime", write],
    },
    // On v1 crun 1.8.1 makes the controllers read-only but not the tmpfs they are in. In `readonlyPaths` it would be
    // bound over itself, and the controllers would come back writable.
    ...(spec.privileged
      ? []
      : [
          {
            destination: "/sys/fs/cgroup",
            type: "bind",
            source: "/sys/fs/cgroup",
            options: ["bind", "remount", "ro", "nosuid", "noexec", "nodev"],
          },
        ]),
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
    hostIpc
      ? { destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind", "rprivate", "rw"] }
      : {
          destination: "/dev/shm",
          type: "tmpfs",
          source: "shm",
          options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${spec.shmSize ?? defaultShmSize}`],
        },
  ];
}

/** The user's mounts behind the kernel's, outer before inner; one on a kernel mount's place takes it. */
export function mountsFor(spec: ContainerSpec): OciMount[] {
  const asked = (spec.mounts ?? []).map((mount) => ociMount(mount, spec.privileged ?? false));
  const seen = new Set<string>();
  for (const { destination } of asked) {
    if (seen.has(destination)) throw refused(destination, "two mounts have this place");
    seen.add(destination);
  }
  const kernel = kernelMounts(spec).filter(
    ({ destination }) => !seen.has(destination) && !(spec.withoutCgroup && destination === "/sys/fs/cgroup"),
  );
  const depth = (path: string) => path.split("/").length;
  return [...kernel, ...asked.sort((a, b) => depth(a.destination) - depth(b.destination))];
}

function ociMount(mount: MountSpec, privileged: boolean): OciMount {
  const destination = checkedTarget(mount.target, privileged);
  if (mount.type === "tmpfs") {
    const mode = (mount.mode ?? 0o1777).toString(8);
    const size = mount.size === undefined ? [] : [`size=${positive(mount.size, destination)}`];
    const options = (mount.options ?? []).map((option) => checkedTmpfsOption(option, destination));
    return {
      destination,
      type: "tmpfs",
      source: "tmpfs",
      options: [...new Set(["nosuid", "nodev", "noexec", ...size, `mode=${mode}`, ...options])].filter(
        (option) => !(option === "noexec" && options.includes("exec")),
      ),
    };
  }
  checkSource(mount.source);
  const propagation = mount.propagation ?? "rprivate";
  return {
    destination,
    type: "bind",
    source: mount.source,
    options: ["rbind", ...accessOf(mount), propagation],
  };
}

/**
 * "rro" is mount_setattr(2) on the whole tree: else what is mounted below a read-only bind could be written. crun takes
 * it for folders alone; below a file there is nothing.
 */
function accessOf({ source, readonly, topReadonly }: Extract<MountSpec, { readonly type: "bind" }>): string[] {
  if (readonly !== true) return ["rw"];
  return topReadonly === true || !statSync(source).isDirectory() ? ["ro"] : ["ro", "rro"];
}

/** Files below /proc that lxcfs and its like put their own in place of. */
const replaceableProc = new Set(
  "cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo sys/kernel/ns_last_pid net/dev sys/kernel/core_pattern"
    .split(" ")
    .map((name) => `/proc/${name}`),
);
replaceableProc.delete("/proc/sys/kernel/core_pattern");

function checkedTarget(target: string, privileged: boolean): string {
  if (!target.startsWith("/") || target.includes("\0")) throw refused(target, "the place must be an absolute path");
  const clean = posix.normalize(target).replace(/(.)\/+$/, "$1");
  if (clean === "/") throw refused(target, "nothing can be mounted over the root itself");
  const below = (folder: string) => clean === folder || clean.startsWith(`${folder}/`);
  if (below("/proc") && !replaceableProc.has(clean)) throw refused(target, "/proc belongs to the kernel");
  if (privileged) return clean;
  if (clean === "/sys") throw refused(target, "/sys belongs to the kernel");
  if (clean === "/dev") throw refused(target, "/dev is always the container's own", "Name single devices instead.");
  return clean;
}

function checkSource(source: string): void {
  if (!source.startsWith("/") || source.includes("\0")) throw refused(source, "the source must be an absolute path");
  try {
    statSync(source);
  } catch (error) {
    throw new GantryError("invalid", {
      doing: "mount",
      on: source,
      because: "the source does not exist on this machine",
      next: "Make it first.",
      cause: error,
    });
  }
}

const tmpfsWords = new Set(
  "ro rw suid nosuid dev nodev exec noexec sync async dirsync atime noatime diratime nodiratime relatime strictatime".split(
    " ",
  ),
);

function checkedTmpfsOption(option: string, target: string): string {
  if (tmpfsWords.has(option)) return option;
  if (/^(size|mode|uid|gid|nr_inodes|nr_blocks)=[0-9]+[kKmMgG%]?$/.test(option)) return option;
  throw refused(target, `the tmpfs option ${JSON.stringify(option)} is not known`);
}

function positive(size: number, target: string): number {
  if (Number.isInteger(size) && size >= 0) return size;
  throw refused(target, `${size} is no size in bytes`);
}

function refused(on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", { doing: "mount", on, because, ...(next === undefined ? {} : { next }) });
}
