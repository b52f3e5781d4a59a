import type { BoundPort } from "#base/system/sockets/bound-port.ts";
import type { Endpoint, PortMapping, PublishedPort } from "./contract.ts";

/** A published port and what keeps it from others; no socket where somebody else had it already. */
export interface HeldPort {
  readonly port: PublishedPort;
  /** As the packet rules know it. */
  readonly inside: PublishedPort;
  readonly bound?: BoundPort;
  /** Its number outside, where the engine's network is not the machine's. */
  readonly outside?: number;
}

export interface PortKeeper {
  /** Takes the host's port. Errors: "conflict" taken, "invalid" no port, address not of this host, no IPv6 inside. */
  hold(mapping: PortMapping, endpoint: Endpoint | undefined): Promise<HeldPort>;
  /** After a restart of the engine. */
  holdAgain(port: PublishedPort): Promise<HeldPort>;
  /** Once all that are held were held again: what nobody holds is closed. */
  closeOthers(): Promise<void>;
  letGo(ports: readonly HeldPort[]): Promise<void>;
  /** The engine ends, the containers go on: only what ends with it anyway. */
  leave(ports: readonly HeldPort[]): void;
}

export function unbind(ports: readonly HeldPort[]): void {
  for (const { bound } of ports) bound?.[Symbol.dispose]();
}
