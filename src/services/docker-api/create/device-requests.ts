import { existsSync, readdirSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { type CdiParts, cdiParts } from "#containers/runtime/cdi.ts";
import type { DeviceRequest, HostConfig } from "#formats/docker/container.ts";

/** Devices by CDI name (`--device vendor/class=name`, driver "cdi"), and GPUs. Errors: "not-found", "unsupported". */
export function requestedDevices(host: HostConfig): CdiParts {
  const requests = host.DeviceRequests ?? [];
  const names = requests.filter(({ Driver }) => Driver === "cdi").flatMap(({ DeviceIDs }) => DeviceIDs ?? []);
  const named = cdiParts(names);
  const gpus = requests.filter(({ Driver }) => Driver !== "cdi").flatMap(gpuNodes);
  return { ...named, devices: [...named.devices, ...gpus.map((path) => ({ source: path, target: path }))] };
}

/** The nodes of NVIDIA's driver; libraries are the image's own. */
function gpuNodes(request: DeviceRequest): string[] {
  const { Driver = "", Capabilities, Count = 0, DeviceIDs } = request;
  const isGpu = (Capabilities ?? []).some((set) => set.includes("gpu"));
  if (!isGpu || !["", "nvidia"].includes(Driver) || !existsSync("/dev/nvidiactl")) {
    const sets = (Capabilities ?? []).map((set) => `[${set.join(" ")}]`).join(" ");
    throw new GantryError("not-found", {
      doing: "give the devices",
      because: `could not select device driver "${Driver}" with capabilities: [${sets}]`,
      next: "Describe them for the Container Device Interface in /etc/cdi, or name nodes with --device.",
    });
  }
  const all = readdirSync("/dev").filter((name) => /^nvidia\d+$/.test(name));
  const ids = DeviceIDs ?? [];
  const chosen =
    ids.length > 0 ? all.filter((name) => ids.includes(name.slice(6))) : all.slice(0, Count < 0 ? undefined : Count);
  const shared = ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"].filter((name) => existsSync(`/dev/${name}`));
  return [...chosen, ...shared].map((name) => `/dev/${name}`);
}
