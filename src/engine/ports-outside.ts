import { existsSync } from "node:fs";
import { userHolderFolder } from "#base/system/holder/contract.ts";
import { type OutsidePorts, openOutsidePorts } from "#base/system/holder/outside-ports.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";

/** In a user's Holder the machine's ports are rootlesskit's to open; everywhere else they are our own. */
export function portsOutside(run: string): { readonly outside?: OutsidePorts } {
  const socket = `${userHolderFolder(run)}/api.sock`;
  return inUserNamespace() && existsSync(socket) ? { outside: openOutsidePorts(socket) } : {};
}
