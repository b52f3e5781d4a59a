import type { Holder } from "./contract.ts";
import { openHolder as openRootHolder } from "./mount-namespace.ts";
import { openUserHolder } from "./user-namespace.ts";

/** The Holder of this user: whoever is not root has a user namespace of its own. */
export function openHolder(run: string, uid: number): Holder {
  return uid === 0 ? openRootHolder({ run }) : openUserHolder({ run });
}
