import { GantryError } from "#base/core/errors.ts";
import type { PortMapping } from "#containers/network/contract.ts";
import type { HostConfig, PortBinding } from "#formats/docker/container.ts";

const portPattern = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i;

interface PortKey {
  readonly first: number;
  readonly last: number;
  readonly protocol: PortMapping["protocol"];
}

/** "80/tcp", "53/udp", "8000-8010" of a create body. */
export function parsePortKey(text: string): PortKey {
  const match = portPattern.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || !validPort(first) || !validPort(last) || last < first) {
    throw new GantryError("invalid", {
      doing: "publish the port",
      on: text,
      because: "it is no port of the form 80, 80/udp or 8000-8010/tcp",
    });
  }
  return { first, last, protocol: (match[3]?.toLowerCase() ?? "tcp") as PortMapping["protocol"] };
}

function validPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** PortBindings and PublishAllPorts as mappings; no address named means 127.0.0.1, Gantry's default. */
export function portMappings(host: HostConfig, exposed: readonly string[]): PortMapping[] {
  const mappings: PortMapping[] = [];
  for (const [key, bindings] of Object.entries(host.PortBindings ?? {})) {
    const { first, last, protocol } = parsePortKey(key);
    for (const binding of bindings === null || bindings.length === 0 ? [{}] : bindings) {
      for (let port = first; port <= last; port += 1) {
        mappings.push({ protocol, containerPort: port, ...hostSide(binding, port - first, last > first) });
      }
    }
  }
  if (host.PublishAllPorts === true) {
    for (const key of exposed) {
      const { first, last, protocol } = parsePortKey(key);
      for (let port = first; port <= last; port += 1) {
        const known = mappings.some((mapping) => mapping.containerPort === port && mapping.protocol === protocol);
        if (!known) mappings.push({ protocol, containerPort: port });
      }
    }
  }
  return mappings;
}

function hostSide(
  binding: PortBinding,
  offset: number,
  isRange: boolean,
): Pick<PortMapping, "hostAddress" | "hostPort"> {
  const address = binding.HostIp === undefined || binding.HostIp === "" ? {} : { hostAddress: binding.HostIp };
  const text = binding.HostPort ?? "";
  if (text === "" || text === "0") return address;
  const [from, to] = text.split("-").map(Number);
  const width = to === undefined ? 0 : to - from!;
  const hostPort = from! + (isRange ? offset : 0);
  if (
    !/^\d+(-\d+)?$/.test(text) ||
    !validPort(from!) ||
    !validPort(hostPort) ||
    (to !== undefined && !validPort(to)) ||
    width < 0
  ) {
    throw new GantryError("invalid", {
      doing: "publish the port",
      on: text,
      because: "the host's side is no port from 1 to 65535",
    });
  }
  // One container port onto a range of host ports means: any free one of them; the first is tried.
  return { ...address, hostPort };
}
