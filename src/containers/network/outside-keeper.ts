import { GantryError, isKind } from "#base/core/errors.ts";
import type { OutsidePorts } from "#base/system/holder/outside-ports.ts";
import { bindPort } from "#base/system/sockets/bound-port.ts";
import type { Endpoint, PortMapping, PublishedPort } from "./contract.ts";
import { type HeldPort, type PortKeeper, unbind } from "./port-keeper.ts";
import { checkMapping } from "./ports.ts";

/** Ports tried when any free one will do: it must be free inside and on the machine. */
const tries = 50;

/**
 * Ports where the engine's network is not the machine's: each is opened on the machine and leads to a port of the
 * engine's own 127.0.0.1, from where the packet rules go on as ever.
 */
export function outsideKeeper(outside: OutsidePorts): PortKeeper {
  const known = new Set<number>();
  const openBoth = async (wanted: Wanted, hostPort: number): Promise<HeldPort> => {
    const bound = bindPort(wanted.protocol, "127.0.0.1", sameInside(wanted.hostAddress) ? hostPort : 0);
    const port = { ...wanted, hostPort: hostPort === 0 ? bound.port : hostPort };
    try {
      const id = await outside.open({ ...port, insidePort: bound.port });
      known.add(id);
      return { port, inside: insideOf(port, bound.port), bound, outside: id };
    } catch (error) {
      bound[Symbol.dispose]();
      throw error;
    }
  };
  return {
    async hold(mapping, endpoint) {
      const wanted = checked(mapping, endpoint);
      for (let left = wanted.hostPort === 0 ? tries : 1; ; left -= 1) {
        try {
          return await openBoth(wanted, wanted.hostPort);
        } catch (error) {
          if (left <= 1 || !isKind(error, "conflict")) throw error;
        }
      }
    },
    async holdAgain(port) {
      const there = (await outside.list()).find(
        ({ protocol, hostAddress, hostPort }) =>
          protocol === port.protocol && hostAddress === port.hostAddress && hostPort === port.hostPort,
      );
      if (there === undefined) return openBoth(checked(port, undefined, true), port.hostPort);
      known.add(there.id);
      const bound = bindPort(port.protocol, "127.0.0.1", there.insidePort);
      return { port, inside: insideOf(port, there.insidePort), bound, outside: there.id };
    },
    async closeOthers() {
      for (const { id } of await outside.list()) if (!known.has(id)) await outside.close(id);
    },
    async letGo(ports) {
      for (const { outside: id } of ports) {
        if (id === undefined) continue;
        known.delete(id);
        await outside.close(id);
      }
      unbind(ports);
    },
    leave: unbind,
  };
}

type Wanted = PublishedPort & { readonly protocol: "tcp" | "udp" };

function checked(mapping: PortMapping, endpoint: Endpoint | undefined, again = false): Wanted {
  const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  if (!again) checkMapping(mapping, endpoint);
  if (protocol === "sctp") {
    throw new GantryError("unsupported", {
      doing: "publish the port",
      on: `${hostAddress}:${hostPort}:${containerPort}/${protocol}`,
      because: "a user's engine carries TCP and UDP into its network, not SCTP",
      next: "Run the engine as root for SCTP.",
    });
  }
  return { protocol, containerPort, hostAddress, hostPort };
}

/** Others may be the same port of several addresses; there is one 127.0.0.1 inside. */
function sameInside(hostAddress: string): boolean {
  return hostAddress === "0.0.0.0" || hostAddress === "127.0.0.1";
}

function insideOf(port: PublishedPort, insidePort: number): PublishedPort {
  // Containers reach what everybody may reach by their gateway too, as they would without a user namespace.
  const hostAddress = port.hostAddress === "0.0.0.0" ? "0.0.0.0" : "127.0.0.1";
  return { ...port, hostAddress, hostPort: insidePort };
}
