import { dlopen } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { must, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
});

const kinds = { mnt: 0x2_0000, net: 0x4000_0000, ipc: 0x800_0000, uts: 0x400_0000 } as const;
export type NamespaceKind = keyof typeof kinds;

const cloneFs = 0x200;

/**
 * Gives the calling thread its own working folder, root and umask (CLONE_FS). Without it neither chdir nor
 * setns(mount) is the thread's own affair; a Worker does it once, before its first task.
 */
export function ownFilesystemContext(): void {
  must(syscallResult(libc.unshare(cloneFs)), { doing: "give a Worker its own working folder" });
}

/** Moves the calling thread into a new namespace of `kind`. Threads made by it later follow; older ones do not. */
export function enterNewNamespace(kind: NamespaceKind): void {
  must(syscallResult(libc.unshare(kinds[kind])), { doing: `make a ${kind} namespace` });
}

/** The path that names the calling thread's own namespace of `kind`, as long as it is in it. */
export function ownNamespacePath(kind: NamespaceKind): string {
  return `/proc/thread-self/ns/${kind}`;
}

/** Moves the calling thread into the namespace a file pins. */
export function enterNamespace(kind: NamespaceKind, path: string): void {
  const fd = openSync(path, "r");
  try {
    enterNamespaceOf(kind, fd, path);
  } finally {
    closeSync(fd);
  }
}

/** Runs synchronous `work` in the namespace that `path` pins and comes back, whatever happens. */
export function inNamespace<R>(kind: NamespaceKind, path: string, work: () => R): R {
  return thereAndBack(kind, () => enterNamespace(kind, path), work);
}

/** Runs synchronous `work` in a new namespace and comes back. Pin it inside, or it is gone. */
export function inNewNamespace<R>(kind: NamespaceKind, work: () => R): R {
  return thereAndBack(kind, () => enterNewNamespace(kind), work);
}

function thereAndBack<R>(kind: NamespaceKind, go: () => void, work: () => R): R {
  const home = openSync(ownNamespacePath(kind), "r");
  try {
    go();
    try {
      return work();
    } finally {
      enterNamespaceOf(kind, home, "the Worker's own");
    }
  } finally {
    closeSync(home);
  }
}

function enterNamespaceOf(kind: NamespaceKind, fd: number, on: string): void {
  // The runtime may have begun helper threads that share this one's working folder: then the kernel refuses.
  if (kind === "mnt") ownFilesystemContext();
  must(syscallResult(libc.setns(fd, kinds[kind])), { doing: `enter the ${kind} namespace`, on });
}
