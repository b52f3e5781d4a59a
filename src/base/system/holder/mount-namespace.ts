import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { readMountTable } from "#base/system/mounts/table.ts";
import { type Holder, holderLayout } from "./contract.ts";
import { withLock } from "./lock.ts";

export interface HolderOptions {
  /** The run folder, absolute, with no link in it; the Holder lives in `<run>/holder`. */
  readonly run: string;
  readonly layout?: number;
}

/** Root's. `pin` is the file that keeps the namespace. */
export function openHolder({ run, layout = holderLayout }: HolderOptions): Holder & { readonly pin: string } {
  const folder = join(run, "holder");
  const pin = join(folder, String(layout));
  const lock = join(run, "holder.lock");
  const exists = () => isPinned(pin);
  return {
    pin,
    prefix: ["nsenter", `--mount=${pin}`, "--"],
    exists,
    make: async () => {
      mkdirSync(run, { recursive: true, mode: 0o711 });
      await withLock(lock, () => {
        if (exists()) return;
        preparePinFolder(folder);
        closeSync(openSync(pin, "a", 0o400));
        pinNamespace(pin);
      });
    },
    remove: async () => {
      mkdirSync(run, { recursive: true, mode: 0o711 });
      await withLock(lock, () => removePin(folder, pin));
      rmSync(lock, { force: true });
    },
  };
}

function isPinned(pin: string): boolean {
  return readMountTable().some((entry) => entry.type === "nsfs" && entry.mountPoint === pin);
}

/** The kernel refuses to pin a mount namespace on a shared mount, hence a private mount of the folder's own. */
function preparePinFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!readMountTable().some((entry) => entry.mountPoint === folder)) {
    mount({ source: folder, target: folder, flags: mountFlags.bind });
  }
  mount({ target: folder, flags: mountFlags.private });
}

function pinNamespace(pin: string): void {
  const layout = cgroupLayout();
  const inside = layout.version === "hybrid" ? ["umount", layout.unified] : ["true"];
  const made = Bun.spawnSync(["unshare", `--mount=${pin}`, "--propagation", "slave", "--", ...inside], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (made.exitCode === 0) return;
  unmount(pin, { lazy: true });
  throw new GantryError("unsupported", {
    doing: "make the mount namespace for containers",
    on: pin,
    because: `unshare(1) says: ${made.stderr.toString().trim() || `exit code ${made.exitCode}`}`,
    next: "Gantry needs root and util-linux; `gantry doctor` names what is missing.",
  });
}

function removePin(folder: string, pin: string): void {
  unmount(pin, { lazy: true });
  rmSync(pin, { force: true });
  let left: string[];
  try {
    left = readdirSync(folder);
  } catch {
    return; // The folder is gone already.
  }
  if (left.length > 0) return;
  unmount(folder, { lazy: true });
  rmdirSync(folder);
}
