import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { enterNewNamespace } from "../thread.ts";

let entered = false;

/**
 * For tests: moves this process's main thread, and all it starts later, into a mount namespace like the Holder's,
 * once a process. What a test mounts is gone with the process, whatever becomes of the test.
 */
export function enterPrivateMounts(): void {
  if (entered) return;
  entered = true;
  enterNewNamespace("mnt");
  mount({ target: "/", flags: mountFlags.private | mountFlags.recursive });
  const layout = cgroupLayout();
  if (layout.version === "hybrid") unmount(layout.unified);
}
