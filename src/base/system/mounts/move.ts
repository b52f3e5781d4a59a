import { dlopen } from "bun:ffi";
import type { OpenFile } from "#base/system/files/contract.ts";
import { currentFolder, owned } from "#base/system/files/open.ts";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";

// None of the three has a wrapper in glibc 2.35 and older.
const { symbols: libc } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "ptr", "u64", "ptr", "u64"], returns: "i64" },
});
// The same door, with a descriptor in the place of the flags.
const { symbols: moving } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "ptr", "i64", "ptr", "u64"], returns: "i64" },
});

const [sysOpenTree, sysMoveMount, sysMountSetattr] = [428, 429, 442];
const [treeClone, closeOnExec, recursive, emptyPath] = [0x1, 0o2000000, 0x8000, 0x1000];
const [fromEmptyPath, toEmptyPath] = [0x4, 0x40];
const attributeReadonly = 0x1n;
const propagationPrivate = BigInt(1 << 18);

export interface CloneOptions {
  readonly readonly?: boolean;
  /** What is mounted below it may be written all the same. */
  readonly topReadonly?: boolean;
}

/**
 * A copy of the mounts at a folder or file, attached nowhere yet and deaf to what happens to the original
 * (open_tree(2), mount_setattr(2)). Disposing it before it is moved drops it.
 */
export function cloneMount(
  source: Bytes,
  { readonly: isReadonly = false, topReadonly = false }: CloneOptions,
): OpenFile {
  const doing = { doing: "mount", on: typeof source === "string" ? source : Buffer.from(source).toString("utf8") };
  const flags = treeClone | closeOnExec | recursive;
  const tree = owned(
    must(syscallResult(libc.syscall(sysOpenTree, currentFolder, cString(source), flags, null, 0)), doing),
  );
  try {
    const attributes = new BigUint64Array([isReadonly ? attributeReadonly : 0n, 0n, propagationPrivate, 0n]);
    const at = emptyPath | (topReadonly ? 0 : recursive);
    const result = libc.syscall(sysMountSetattr, tree.fd, cString(""), at, Buffer.from(attributes.buffer), 32);
    must(syscallResult(result), doing);
    return tree;
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

/** Attaches a cloned mount at an open place of the calling thread's mount namespace (move_mount(2)). */
export function attachMount(tree: OpenFile, place: OpenFile, on: string): void {
  const flags = fromEmptyPath | toEmptyPath;
  const result = moving.syscall(sysMoveMount, tree.fd, cString(""), place.fd, cString(""), flags);
  must(syscallResult(result), { doing: "mount at", on });
}
