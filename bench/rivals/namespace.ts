import type { Undo } from "../contract.ts";
import { end } from "../processes.ts";

/** A mount and a network namespace of a rival's own; what it mounts and what rules it writes end with them. */
export interface Namespaces {
  /** Put before a program's words to run it inside. Takes about a millisecond. */
  readonly enter: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * crun refuses hosts with both cgroup versions mounted; `withoutUnified` gives the rival a view with the first only.
 * Folders in `covered` get an empty tmpfs.
 */
export async function openNamespaces(
  undo: Undo,
  options: { readonly withoutUnified?: boolean; readonly covered?: readonly string[] } = {},
): Promise<Namespaces> {
  const steps = [
    "set -e",
    "ip link set lo up",
    ...(options.withoutUnified === true
      ? ["if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi"]
      : []),
    ...(options.covered ?? []).map((path) => `if [ -d ${path} ]; then mount -t tmpfs tmpfs ${path}; fi`),
    "echo ready",
    "exec sleep infinity",
  ];
  const child = Bun.spawn(
    ["setsid", "unshare", "--mount", "--net", "--propagation", "slave", "sh", "-c", steps.join("\n")],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const close = undo.add("a rival's namespaces", () => end(child.pid, 1000));
  const { value } = await child.stdout.getReader().read();
  if (!new TextDecoder().decode(value).includes("ready")) throw new Error("a rival's namespaces could not be made");
  const folder = `/proc/${child.pid}/ns`;
  return { enter: ["nsenter", `--mount=${folder}/mnt`, `--net=${folder}/net`], close };
}
