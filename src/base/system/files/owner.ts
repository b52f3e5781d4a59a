import { GantryError } from "#base/core/errors.ts";
import { errnoName, must, type SyscallResult } from "#base/system/libc/errno.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";

/** What to do about an id that a user's subordinate ids do not reach. */
export const moreIds =
  "Give the user more in /etc/subuid and /etc/subgid; they count once `gantry engine uninstall` has ended what runs.";

/** The result of a chown(2). Error "unsupported" for an id that is not mapped in this user namespace. */
export function mustOwn(result: SyscallResult, uid: number, gid: number, on: string): void {
  const doing = "set the owner of";
  if (result >= 0 || errnoName(result) !== "EINVAL" || !inUserNamespace()) {
    must(result, { doing, on });
    return;
  }
  throw new GantryError("unsupported", {
    doing,
    on,
    because: `its owner is ${uid}:${gid}, beyond the ids this user has`,
    next: moreIds,
  });
}
