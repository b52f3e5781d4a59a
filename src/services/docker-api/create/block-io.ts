import { existsSync } from "node:fs";
import { join } from "node:path";
import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import type { DeviceAmount, Resources } from "#containers/runtime/contract.ts";
import type { DeviceRate, HostConfig } from "#formats/docker/container.ts";

type BlockLimits = Pick<
  Resources,
  "blkioWeight" | "blkioWeightDevice" | "blkioReadBps" | "blkioWriteBps" | "blkioReadIops" | "blkioWriteIops"
>;

/** Limits of block devices; a weight this kernel has no place for is left out with a warning, as Docker does. */
export function blockIoOf(host: HostConfig, hasWeight = weightIsKnown()): { limits: BlockLimits; warnings: string[] } {
  const weights = (host.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({ device: Path, amount: Weight }));
  const warnings: string[] = [];
  if (!hasWeight && host.BlkioWeight) warnings.push(lost("Block I/O weight", "Weight"));
  if (!hasWeight && weights.length > 0) warnings.push(lost("Block I/O weight_device", "Weight-device"));
  return {
    warnings,
    limits: {
      ...(hasWeight && host.BlkioWeight ? { blkioWeight: host.BlkioWeight } : {}),
      ...(hasWeight && weights.length > 0 ? { blkioWeightDevice: weights } : {}),
      ...amounts("blkioReadBps", host.BlkioDeviceReadBps),
      ...amounts("blkioWriteBps", host.BlkioDeviceWriteBps),
      ...amounts("blkioReadIops", host.BlkioDeviceReadIOps),
      ...amounts("blkioWriteIops", host.BlkioDeviceWriteIOps),
    },
  };
}

function lost(what: string, short: string): string {
  return `Your kernel does not support ${what} or the cgroup is not mounted. ${short} discarded.`;
}

function amounts<K extends keyof BlockLimits>(
  name: K,
  rates: readonly DeviceRate[] | null | undefined,
): { [P in K]?: DeviceAmount[] } {
  if (!rates || rates.length === 0) return {};
  return { [name]: rates.map(({ Path, Rate }) => ({ device: Path, amount: Rate })) } as { [P in K]?: DeviceAmount[] };
}

function weightIsKnown(): boolean {
  const layout = cgroupLayout();
  if (layout.version === "v2") return true;
  if (layout.version === "none") return false;
  const blkio = layout.controllers.get("blkio");
  return blkio !== undefined && ["blkio.weight", "blkio.bfq.weight"].some((file) => existsSync(join(blkio, file)));
}
