import { GantryError } from "#base/core/errors.ts";
import { parseAddress } from "#base/core/ip-address.ts";
import { type BoundPort, bindPort } from "#base/system/sockets/bound-port.ts";
import type { Endpoint, PortMapping, PublishedPort } from "./contract.ts";

/** A published port and the socket that keeps it from others; none where somebody else had it already. */
export interface HeldPort {
  readonly port: PublishedPort;
  readonly bound?: BoundPort;
}

/** Takes the host's port. Errors: "conflict" taken, "invalid" no port, address not of this host, no IPv6 inside. */
export function holdPort(mapping: PortMapping, endpoint: Endpoint | undefined): HeldPort {
  const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  const isPort = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= 65_535;
  const address = parseAddress(hostAddress);
  const refuse = (because: string, next?: string) =>
    new GantryError("invalid", {
      doing: "publish the port",
      on: `${hostAddress}:${hostPort}:${containerPort}/${protocol}`,
      because,
      ...(next === undefined ? {} : { next }),
    });
  if (address === undefined || !isPort(containerPort, 1) || !isPort(hostPort, 0)) {
    throw refuse("it is no address with ports from 1 to 65535");
  }
  if (endpoint === undefined) {
    throw refuse("the container is in no network with a way in", "Put it into a bridge network that is not internal.");
  }
  if (hostAddress === "::1") {
    throw refuse(
      "the kernel forwards nothing that comes from IPv6's own loopback",
      "Use 127.0.0.1, or another IPv6 address of this host.",
    );
  }
  if (address.family === 6 && endpoint.address6 === undefined) {
    throw refuse("the container has no IPv6 address", "Make the network with --ipv6, or name an IPv4 address.");
  }
  const bound = bindPort(protocol, hostAddress, hostPort);
  return { port: { protocol, containerPort, hostAddress, hostPort: bound.port }, bound };
}

/** After a restart: what somebody took while no engine lived stays theirs; the kernel's map still steers its packets. */
export function holdAgain(port: PublishedPort): HeldPort {
  try {
    return { port, bound: bindPort(port.protocol, port.hostAddress, port.hostPort) };
  } catch {
    return { port };
  }
}

export function letGo(ports: readonly HeldPort[]): void {
  for (const { bound } of ports) bound?.[Symbol.dispose]();
}

export function samePort(a: PublishedPort, b: PublishedPort): boolean {
  return (
    a.protocol === b.protocol &&
    a.containerPort === b.containerPort &&
    a.hostAddress === b.hostAddress &&
    a.hostPort === b.hostPort
  );
}
