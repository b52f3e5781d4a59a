import { GantryError } from "#base/core/errors.ts";
import type { BlockIoSpec, ThrottleSpec } from "#formats/oci/runtime-spec.ts";
import type { DeviceAmount, Resources } from "./contract.ts";
import { blockDevice } from "./devices.ts";

/** Limits of block devices as the runtime specification has them; undefined for none. Errors: "invalid". */
export function blockLimits(asked: Resources): BlockIoSpec | undefined {
  const rates = (amounts: readonly DeviceAmount[] | undefined): ThrottleSpec[] | undefined =>
    amounts?.map(({ device, amount }) => ({ ...blockDevice(device), rate: positive(device, amount) }));
  const limits: { [K in keyof BlockIoSpec]: BlockIoSpec[K] | undefined } = {
    weight: asked.blkioWeight,
    weightDevice: asked.blkioWeightDevice?.map(({ device, amount }) => ({ ...blockDevice(device), weight: amount })),
    throttleReadBpsDevice: rates(asked.blkioReadBps),
    throttleWriteBpsDevice: rates(asked.blkioWriteBps),
    throttleReadIOPSDevice: rates(asked.blkioReadIops),
    throttleWriteIOPSDevice: rates(asked.blkioWriteIops),
  };
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as BlockIoSpec);
}

function positive(device: string, amount: number): number {
  if (Number.isSafeInteger(amount) && amount > 0) return amount;
  throw new GantryError("invalid", {
    doing: "limit the throughput of",
    on: device,
    because: `${amount} is no whole number above 0`,
  });
}
