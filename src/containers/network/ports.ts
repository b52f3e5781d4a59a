import { GantryError } from "#base/core/errors.ts";
import { parseAddress } from "#base/core/ip-address.ts";
import { bindPort } from "#base/system/sockets/bound-port.ts";
import type { Endpoint, PortMapping, PublishedPort } from "./contract.ts";
import { type HeldPort, type PortKeeper, unbind } from "./port-keeper.ts";

/** Ports of the machine whose network is the engine's own. */
export const machinePorts: PortKeeper = {
  hold: async (mapping, endpoint) => hold(mapping, endpoint),
  /** What somebody took while no engine lived stays theirs; the kernel's map still steers its packets. */
  async holdAgain(port) {
    try {
      return { port, inside: port, bound: bindPort(port.protocol, port.hostAddress, port.hostPort) };
    } catch {
      return { port, inside: port };
    }
  },
  closeOthers: async () => undefined,
  letGo: async (ports) => unbind(ports),
  leave: unbind,
};

function hold(mapping: PortMapping, endpoint: Endpoint | undefined): HeldPort {
  const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  checkMapping(mapping, endpoint);
  if (hostAddress === "::1") {
    throw refusal(
      mapping,
      "the kernel forwards nothing that comes from IPv6's own loopback",
      "Use 127.0.0.1, or another IPv6 address of this host.",
    );
  }
  if (hostAddress.includes(":") && endpoint?.address6 === undefined) {
    throw refusal(
      mapping,
      "the container has no IPv6 address",
      "Make the network with --ipv6, or name an IPv4 address.",
    );
  }
  const bound = bindPort(protocol, hostAddress, hostPort);
  const port = { protocol, containerPort, hostAddress, hostPort: bound.port };
  return { port, inside: port, bound };
}

/** Errors: "invalid" for what is no port, and for a container that nothing can reach. */
export function checkMapping(mapping: PortMapping, endpoint: Endpoint | undefined): void {
  const { containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  const isPort = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= 65_535;
  if (parseAddress(hostAddress) === undefined || !isPort(containerPort, 1) || !isPort(hostPort, 0)) {
    throw refusal(mapping, "it is no address with ports from 1 to 65535");
  }
  if (endpoint === undefined) {
    throw refusal(
      mapping,
      "the container is in no network with a way in",
      "Put it into a bridge network that is not internal.",
    );
  }
}

function refusal(mapping: PortMapping, because: string, next?: string): GantryError {
  const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  return new GantryError("invalid", {
    doing: "publish the port",
    on: `${hostAddress}:${hostPort}:${containerPort}/${protocol}`,
    because,
    ...(next === undefined ? {} : { next }),
  });
}

export function samePort(a: PublishedPort, b: PublishedPort): boolean {
  return (
    a.protocol === b.protocol &&
    a.containerPort === b.containerPort &&
    a.hostAddress === b.hostAddress &&
    a.hostPort === b.hostPort
  );
}
