import { existsSync, readFileSync } from "node:fs";
import { userHolderFolder } from "#base/system/holder/contract.ts";
import { type OutsidePorts, openOutsidePorts } from "#base/system/holder/outside-ports.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";

/** What of the machine's network an engine in a user's Holder can have. */
export interface Outside {
  readonly ports: OutsidePorts;
  /** The address that leads to the machine's loopback; undefined where none does. */
  readonly loopback: string | undefined;
}

/** undefined everywhere else: there the engine's network is the machine's. */
export function outsideOf(run: string): Outside | undefined {
  const folder = userHolderFolder(run);
  if (!inUserNamespace() || !existsSync(`${folder}/api.sock`)) return undefined;
  const loopback = readFileSync(`${folder}/machine-loopback`, "utf8") || undefined;
  return { ports: openOutsidePorts(`${folder}/api.sock`), loopback };
}

/** A property, or none. */
export function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V };
}
