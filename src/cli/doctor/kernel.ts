import { type Finding, missing, ok, warning } from "./finding.ts";
import type { Mount } from "./mounts.ts";

/** Reads a file of the kernel; undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

export function checkKernel(read: ReadText, mounts: readonly Mount[], release: string): Finding[] {
  return [
    overlay(read, release),
    userNamespaces(read),
    cgroups(mounts),
    forwarding(read),
    rootPropagation(mounts),
    openFiles(read),
  ];
}

function overlay(read: ReadText, release: string): Finding {
  const known = /^(nodev)?\s*overlay$/m.test(read("/proc/filesystems") ?? "");
  if (known) return ok("overlay", "the kernel has the overlay file system");
  const module = /\/overlay\.ko/.test(read(`/lib/modules/${release}/modules.dep`) ?? "");
  if (module) return ok("overlay", "a module of the kernel, loaded at the first container");
  return missing("overlay", "the kernel has no overlay file system", "modprobe overlay");
}

function userNamespaces(read: ReadText): Finding {
  const subject = "user namespaces";
  if ((read("/proc/sys/user/max_user_namespaces") ?? "0").trim() === "0") {
    return warning(subject, "switched off: nothing works without root", "sysctl -w user.max_user_namespaces=15000");
  }
  if (read("/proc/sys/kernel/unprivileged_userns_clone")?.trim() === "0") {
    return warning(subject, "for root only", "sysctl -w kernel.unprivileged_userns_clone=1");
  }
  if (read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?.trim() === "1") {
    return warning(
      subject,
      "AppArmor restricts them to programs with a profile",
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  }
  return ok(subject, "every user may make them");
}

function cgroups(mounts: readonly Mount[]): Finding {
  const v1 = mounts.some(({ type }) => type === "cgroup");
  const v2 = mounts.some(({ type }) => type === "cgroup2");
  if (v1 && v2) return ok("cgroups", "hybrid: v1 with a v2 tree beside it; containers are shown v1 only");
  if (v1) return ok("cgroups", "v1");
  if (v2) return ok("cgroups", "v2");
  return missing("cgroups", "none is mounted", "mount -t cgroup2 none /sys/fs/cgroup");
}

function forwarding(read: ReadText): Finding {
  if (read("/proc/sys/net/ipv4/ip_forward")?.trim() === "1") return ok("ip_forward", "the kernel forwards packets");
  return warning(
    "ip_forward",
    "the kernel does not forward packets: containers reach nothing beyond this machine",
    "sysctl -w net.ipv4.ip_forward=1",
  );
}

/** The Holder's namespace is a slave of the host's: what is mounted later arrives only through shared mounts. */
function rootPropagation(mounts: readonly Mount[]): Finding {
  const subject = "mounts";
  const root = mounts.findLast(({ point }) => point === "/");
  if (root?.shared === true) return ok(subject, '"/" is a shared mount');
  return warning(
    subject,
    '"/" is no shared mount: containers do not see disks mounted after the engine started',
    "mount --make-rshared /",
  );
}

const fewFiles = 4096;

function openFiles(read: ReadText): Finding {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(read("/proc/self/limits") ?? "")?.[1] ?? "unknown";
  if (hard === "unlimited" || Number(hard) >= fewFiles) return ok("open files", `at most ${hard} a process`);
  return warning(
    "open files",
    `at most ${hard} a process: busy containers run out`,
    `ulimit -Hn 65536 as root, and a line in /etc/security/limits.conf`,
  );
}
