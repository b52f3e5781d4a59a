import { dlopen } from "bun:ffi";
import { type SyscallResult, syscallError, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  chdir: { args: ["ptr"], returns: "i32" },
});

/** Flags of mount(2). */
export const mountFlags = {
  readonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  remount: 0x20,
  bind: 0x1000,
  recursive: 0x4000,
  unbindable: 0x2_0000,
  private: 0x4_0000,
  slave: 0x8_0000,
  shared: 0x10_0000,
} as const;

const unmountFlags = { detach: 0x2, noFollow: 0x8 } as const;

export interface MountRequest {
  readonly source?: Bytes;
  readonly target: Bytes;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: Bytes;
}

/** mount(2). May block on a slow device: call it in a `kernel` Worker. */
export function mount({ source, target, type, flags = 0, data }: MountRequest): void {
  const result: SyscallResult = syscallResult(
    libc.mount(
      source === undefined ? null : cString(source),
      cString(target),
      type === undefined ? null : cString(type),
      flags,
      data === undefined ? null : cString(data),
    ),
  );
  if (result < 0) {
    throw syscallError(-result, { doing: `mount ${type ?? "a folder"} at`, on: text(target) });
  }
}

export interface UnmountOptions {
  /** Out of the tree at once, released when its last user goes (MNT_DETACH). */
  readonly lazy?: boolean;
}

/** umount2(2), never following a link at the end of `target`. False when nothing is mounted there. */
export function unmount(target: Bytes, options: UnmountOptions = {}): boolean {
  const flags = unmountFlags.noFollow | (options.lazy ? unmountFlags.detach : 0);
  const result = syscallResult(libc.umount2(cString(target), flags));
  if (result >= 0) return true;
  const error = syscallError(-result, { doing: "unmount", on: text(target) });
  const errno = error.parts.details?.errno;
  if (errno === "EINVAL" || errno === "ENOENT") return false;
  throw error;
}

/** Changes the calling thread's working folder: only in a Worker that owns its (see `ownFilesystemContext`). */
export function changeThreadFolder(path: Bytes): void {
  const result = syscallResult(libc.chdir(cString(path)));
  if (result < 0) throw syscallError(-result, { doing: "enter the folder", on: text(path) });
}

function text(path: Bytes): string {
  return typeof path === "string" ? path : Buffer.from(path).toString("utf8");
}
