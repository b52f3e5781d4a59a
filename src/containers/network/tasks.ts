import { task } from "#base/system/pool/contract.ts";

/** Kernel work of networks. Implemented in `kernel-tasks.ts`, which only a Worker loads. */

export interface PrefixedAddress {
  readonly address: string;
  readonly prefix: number;
}

/** What there is of a bridge, and every subnet the host has a route or an address for. */
export const lookAtHost = task<
  { readonly bridge: string },
  { readonly bridge?: readonly PrefixedAddress[]; readonly used: readonly PrefixedAddress[] }
>("network.look-at-host");

/** Makes the bridge unless it is there, gives it its addresses and brings it up. Says what forwarding it switched on. */
export const setUpBridge = task<
  { readonly bridge: string; readonly addresses: readonly PrefixedAddress[]; readonly mtu?: number },
  { readonly enabledForwarding: boolean }
>("network.set-up-bridge");

/** Takes a bridge away, with the host's ends of its pairs. */
export const removeBridge = task<{ readonly bridge: string }, { readonly removed: true }>("network.remove-bridge");

/** One interface of a container: its own end, and where the other is. */
export interface LinkPlan {
  readonly interface: string;
  readonly addresses: readonly PrefixedAddress[];
  readonly mac: string;
  readonly to:
    | { readonly kind: "bridge"; readonly bridge: string; readonly hostInterface: string; readonly mtu?: number }
    | { readonly kind: "macvlan" | "ipvlan"; readonly parent: string; readonly mode: number };
}

/** The way out: at most one gateway of each family. */
export interface RoutePlan {
  readonly gateways: readonly { readonly gateway: string; readonly interface: string }[];
}

/** Makes a namespace pinned at `pin`, `lo` up, with these interfaces and routes. */
export const makeNamespace = task<
  { readonly pin: string; readonly links: readonly LinkPlan[]; readonly routes: RoutePlan },
  { readonly made: true }
>("network.make-namespace");

/** Adds interfaces to a namespace and sets its routes anew. */
export const addLinks = task<
  { readonly pin: string; readonly links: readonly LinkPlan[]; readonly routes: RoutePlan },
  { readonly added: true }
>("network.add-links");

/** Takes an interface out of a namespace and sets its routes anew. One that is gone is no error. */
export const removeLink = task<
  { readonly pin: string; readonly interface: string; readonly routes: RoutePlan },
  { readonly removed: true }
>("network.remove-link");

/** Unpins; the kernel takes the rest back when the last process has left. Missing ones are no error. */
export const dropNamespaces = task<{ readonly pins: readonly string[] }, { readonly dropped: true }>(
  "network.drop-namespaces",
);

/** Unpins all in `folder`, and switches forwarding off again when this engine had switched it on. */
export const clearHost = task<
  { readonly folder: string; readonly disableForwarding: boolean },
  { readonly cleared: true }
>("network.clear-host");
