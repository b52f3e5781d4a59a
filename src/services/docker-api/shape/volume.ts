import type { VolumeRecord } from "#containers/volume/contract.ts";
import { timestamp } from "./time.ts";

export interface VolumeShape {
  readonly Name: string;
  readonly Driver: "local";
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Options: Readonly<Record<string, string>>;
  readonly Scope: "local";
}

export function volumeShape(volume: VolumeRecord): VolumeShape {
  return {
    Name: volume.name,
    Driver: "local",
    Mountpoint: volume.path,
    CreatedAt: timestamp(volume.created),
    Labels: volume.labels,
    Options: volume.options,
    Scope: "local",
  };
}
