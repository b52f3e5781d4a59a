import { task } from "#base/system/pool/contract.ts";
import type { Endpoint } from "./contract.ts";
import type { Subnet } from "./subnet.ts";

/** Kernel work of networks. Implemented in `kernel-tasks.ts`, which only a Worker loads. */
export const setUpBridge = task<
  { readonly bridge: string; readonly wanted?: Subnet },
  { readonly subnet: Subnet; readonly enabledForwarding: boolean }
>("network.set-up-bridge");

/** Makes a namespace pinned at `pin`, `lo` up; with an endpoint also its pair on `bridge`, address and route. */
export const makeNamespace = task<
  { readonly pin: string; readonly bridge: string; readonly endpoint?: Endpoint },
  { readonly made: true }
>("network.make-namespace");

/** Unpins; the kernel takes the rest back when the last process has left. Missing ones are no error. */
export const dropNamespaces = task<{ readonly pins: readonly string[] }, { readonly dropped: true }>(
  "network.drop-namespaces",
);

/** Removes every pair in the bridge and the bridge, and unpins all in `folder`. */
export const removeBridge = task<
  { readonly bridge: string; readonly folder: string; readonly disableForwarding: boolean },
  { readonly removed: true }
>("network.remove-bridge");
