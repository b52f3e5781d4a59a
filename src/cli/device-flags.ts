import type { Command } from "commander";
import type { DeviceRate, DeviceRequest, HostConfig } from "#formats/docker/container.ts";
import { collect } from "./container-flags.ts";
import { parseSize } from "./size-flag.ts";

/** Flags of namespaces, block devices and what else of HostConfig few ask for. */
export interface DeviceFlags {
  readonly pid?: string;
  readonly uts?: string;
  readonly cgroupns?: string;
  readonly oomKillDisable?: boolean;
  readonly memorySwappiness?: string;
  readonly blkioWeight?: string;
  readonly deviceReadBps: readonly string[];
  readonly deviceWriteBps: readonly string[];
  readonly deviceReadIops: readonly string[];
  readonly deviceWriteIops: readonly string[];
  readonly deviceCgroupRule: readonly string[];
  readonly gpus?: string;
}

export function declareDeviceFlags(command: Command): void {
  const many = (flags: string, text: string) => command.option(flags, text, collect, []);
  command
    .option("--pid <mode>", "host, or container:NAME")
    .option("--uts <mode>", "host")
    .option("--cgroupns <mode>", "host or private")
    .option("--oom-kill-disable", "let it wait instead of killing it (cgroup v1)")
    .option("--memory-swappiness <number>", "0 to 100 (cgroup v1)")
    .option("--blkio-weight <weight>", "10 to 1000")
    .option("--gpus <count>", "all or a number; needs a CDI device, as --device vendor/class=name");
  many("--device-read-bps <path:size>", "bytes read of a device a second, as /dev/sda:1mb");
  many("--device-write-bps <path:size>", "bytes written to a device a second");
  many("--device-read-iops <path:number>", "reads of a device a second");
  many("--device-write-iops <path:number>", "writes to a device a second");
  many("--device-cgroup-rule <rule>", "as 'c 1:3 mr'");
}

/** "vendor.com/class=name" is a device of the Container Device Interface, not a path. */
export function isCdiName(text: string): boolean {
  return /^[a-zA-Z][\w.-]*\/[\w.-]+=[\w.:-]+$/.test(text);
}

export function deviceConfig(flags: DeviceFlags & { readonly device: readonly string[] }): HostConfig {
  const swappiness = flags.memorySwappiness;
  const cdi = flags.device.filter(isCdiName);
  const requests = [...gpuRequest(flags.gpus), ...(cdi.length === 0 ? [] : [{ Driver: "cdi", DeviceIDs: cdi }])];
  return {
    ...(flags.pid === undefined ? {} : { PidMode: flags.pid }),
    ...(flags.uts === undefined ? {} : { UTSMode: flags.uts }),
    ...(flags.cgroupns === undefined ? {} : { CgroupnsMode: flags.cgroupns }),
    ...(flags.oomKillDisable === true ? { OomKillDisable: true } : {}),
    ...(swappiness === undefined ? {} : { MemorySwappiness: Number(swappiness) }),
    ...(flags.blkioWeight === undefined ? {} : { BlkioWeight: Number(flags.blkioWeight) }),
    ...rates("BlkioDeviceReadBps", flags.deviceReadBps),
    ...rates("BlkioDeviceWriteBps", flags.deviceWriteBps),
    ...rates("BlkioDeviceReadIOps", flags.deviceReadIops),
    ...rates("BlkioDeviceWriteIOps", flags.deviceWriteIops),
    ...(flags.deviceCgroupRule.length === 0 ? {} : { DeviceCgroupRules: flags.deviceCgroupRule }),
    ...(requests.length === 0 ? {} : { DeviceRequests: requests }),
  };
}

function rates<K extends keyof HostConfig>(name: K, texts: readonly string[]): { [P in K]?: DeviceRate[] } {
  if (texts.length === 0) return {};
  const list = texts.map((text) => {
    const at = text.lastIndexOf(":");
    return { Path: text.slice(0, at), Rate: parseSize(text.slice(at + 1), "device")! };
  });
  return { [name]: list } as { [P in K]?: DeviceRate[] };
}

function gpuRequest(text: string | undefined): DeviceRequest[] {
  if (text === undefined) return [];
  return [{ Count: text === "all" ? -1 : Number(text), Capabilities: [["gpu"]] }];
}
