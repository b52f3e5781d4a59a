import { GantryError } from "#base/core/errors.ts";
import type { Namespaces } from "./contract.ts";

const ipcNames = new Set(
  "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced".split(
    " ",
  ),
);

/**
 * Only settings that belong to a namespace of the container's own may be set, and a value is plain numbers and words:
 * no "=", "+" or line end that a careless parser could take for another setting (CVE-2022-0811).
 */
export function checkSysctls(
  asked: Readonly<Record<string, string>>,
  namespaces: Namespaces,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(asked)) {
    if (!/^[a-z0-9_]+([.][a-zA-Z0-9_-]+)+$/.test(name)) throw refused(name, "that is no name of a setting");
    if (!/^[A-Za-z0-9 ._:\t-]*$/.test(value)) throw refused(name, `the value ${JSON.stringify(value)} has other signs`);
    const own = owner(name);
    if (own === undefined) throw refused(name, "it belongs to the whole machine, not to a namespace");
    if ((namespaces[own] ?? { kind: "new" }).kind === "host") {
      throw refused(name, `the container uses the host's ${own} namespace`);
    }
  }
  return asked;
}

function owner(name: string): "network" | "ipc" | undefined {
  if (name.startsWith("net.")) return "network";
  if (ipcNames.has(name) || name.startsWith("fs.mqueue.")) return "ipc";
  return undefined;
}

function refused(name: string, because: string): GantryError {
  return new GantryError("invalid", {
    doing: "set the sysctl",
    on: name,
    because,
    next: "Allowed are net.*, fs.mqueue.* and the kernel's message, semaphore and shared memory settings.",
  });
}
