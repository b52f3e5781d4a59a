import type { Endpoint } from "./contract.ts";
import type { HeldPort } from "./port-keeper.ts";
import type { RoutePlan } from "./tasks.ts";

/** What one owner holds. */
export interface Held {
  readonly namespace: string;
  endpoints: readonly Endpoint[];
  ports: readonly HeldPort[];
  names: readonly string[];
  /** Where it may go only; undefined: anywhere its networks let it. */
  egress: readonly string[] | undefined;
}

/** The highest priority first; among equals the order of the interfaces. */
export function byPriority(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.toSorted((a, b) => b.gatewayPriority - a.gatewayPriority);
}

/** By which interface published ports come in: a bridge with a way out. */
export function entryOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return byPriority(endpoints).find(({ hostInterface, gateway }) => hostInterface !== "" && gateway !== "");
}

export function routesOf(endpoints: readonly Endpoint[]): RoutePlan {
  const ordered = byPriority(endpoints);
  const four = ordered.find(({ gateway }) => gateway !== "");
  const six = ordered.find(({ gateway6 = "" }) => gateway6 !== "");
  return {
    gateways: [
      ...(four === undefined ? [] : [{ gateway: four.gateway, interface: four.interface }]),
      ...(six?.gateway6 === undefined ? [] : [{ gateway: six.gateway6, interface: six.interface }]),
    ],
  };
}
