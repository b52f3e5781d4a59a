import { GantryError } from "#base/core/errors.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/**
 * What this engine does not do yet is refused by name: a setting taken in silence and not kept is worse than none.
 * Each test says when a field really asks for something.
 */
const notServed: readonly { readonly flag: string; readonly asks: (host: HostConfig) => boolean }[] = [
  { flag: "--userns", asks: (host) => !["", "host", undefined].includes(host.UsernsMode) },
  { flag: "--pid", asks: (host) => !["", "private", undefined].includes(host.PidMode) },
  { flag: "--uts", asks: (host) => !["", "private", undefined].includes(host.UTSMode) },
  { flag: "--ipc", asks: (host) => !["", "private", "shareable", "host", undefined].includes(host.IpcMode) },
  { flag: "--oom-kill-disable", asks: (host) => host.OomKillDisable === true },
  { flag: "--memory-swappiness", asks: (host) => ![undefined, null, -1].includes(host.MemorySwappiness) },
  { flag: "--runtime", asks: (host) => !["", "crun", "runc", "default", undefined].includes(host.Runtime) },
  {
    flag: "--log-driver",
    asks: (host) => !["", "json-file", "local", "k8s-file", undefined].includes(host.LogConfig?.Type),
  },
];

/** Errors: "unsupported", naming the flag. */
export function refuseNotServed(host: HostConfig): void {
  for (const { flag, asks } of notServed) {
    if (!asks(host)) continue;
    throw new GantryError("unsupported", {
      doing: "create the container",
      because: `this engine does not serve ${flag} with that value yet`,
      next: `Leave ${flag} out.`,
    });
  }
}
