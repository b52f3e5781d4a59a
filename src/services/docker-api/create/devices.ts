import { GantryError } from "#base/core/errors.ts";
import type { DeviceRule, DeviceSpec } from "#containers/runtime/contract.ts";
import type { HostConfig } from "#formats/docker/container.ts";

export function devicesOf(host: HostConfig): DeviceSpec[] {
  return (host.Devices ?? []).map((device) => ({
    source: device.PathOnHost,
    target: device.PathInContainer || device.PathOnHost,
    access: device.CgroupPermissions || "rwm",
  }));
}

/** "c 1:3 mr", "a *:* rwm" as devices(5) of cgroup v1 has them. Error "invalid". */
export function deviceRulesOf(host: HostConfig): DeviceRule[] {
  return (host.DeviceCgroupRules ?? []).map((text) => {
    const match = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
    if (match === null) {
      throw new GantryError("invalid", {
        doing: "read the device rule",
        on: text,
        because: `invalid device cgroup rule format: '${text}'`,
        next: "For example: c 1:3 mr",
      });
    }
    const [, type, major, minor, access] = match as unknown as [string, DeviceRule["type"], string, string, string];
    return {
      type,
      access,
      ...(major === "*" ? {} : { major: Number(major) }),
      ...(minor === "*" ? {} : { minor: Number(minor) }),
    };
  });
}
