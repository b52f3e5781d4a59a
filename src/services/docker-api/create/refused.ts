import { GantryError } from "#base/core/errors.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/**
 * What this engine does not do yet is refused by name: a setting taken in silence and not kept is worse than none.
 * Each test says when a field really asks for something.
 */
const notServed: readonly {
  readonly flag: string;
  readonly asks: (host: HostConfig) => boolean;
  readonly next?: string;
}[] = [
  { flag: "--userns", asks: (host) => !["", "host", undefined].includes(host.UsernsMode) },
  { flag: "--runtime", asks: (host) => !["", "crun", "runc", "default", undefined].includes(host.Runtime) },
  {
    flag: "--log-driver",
    asks: (host) => !["", "json-file", "local", "k8s-file", "none", undefined].includes(host.LogConfig?.Type),
    next: "Known are json-file, local and none; let a collector read them through the API.",
  },
  {
    flag: "--link",
    asks: (host) => (host.Links ?? []).length > 0,
    next: "Put both containers into one network; they know each other by name there, and --network-alias gives more.",
  },
  {
    flag: "--storage-opt",
    asks: (host) => Object.keys(host.StorageOpt ?? {}).length > 0,
    next: "It is supported only for overlay over xfs with the pquota mount option; limit what is written by a volume.",
  },
  {
    flag: "--cpu-rt-runtime",
    asks: (host) => Boolean(host.CpuRealtimePeriod) || Boolean(host.CpuRealtimeRuntime),
    next: "Your kernel does not support CPU real-time scheduler; use --ulimit rtprio=99 and --cap-add SYS_NICE.",
  },
  {
    flag: "--volume-driver",
    asks: (host) => !["", "local", undefined].includes(host.VolumeDriver),
    next: "Use the driver local; its options mount what mount(8) can.",
  },
];

/** Errors: "unsupported", naming the flag. */
export function refuseNotServed(host: HostConfig): void {
  for (const { flag, asks, next = `Leave ${flag} out.` } of notServed) {
    if (!asks(host)) continue;
    throw new GantryError("unsupported", {
      doing: "create the container",
      because: `this engine does not serve ${flag} with that value yet`,
      next,
    });
  }
}
