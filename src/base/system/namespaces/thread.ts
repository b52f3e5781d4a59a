import { dlopen } from "bun:ffi";
import { must, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  unshare: { args: ["i32"], returns: "i32" },
});

const cloneFs = 0x200;

/**
 * Gives the calling thread its own working folder, root and umask (CLONE_FS). Without it neither chdir nor
 * setns(mount) is the thread's own affair; a `kernel` Worker does it once, before its first task.
 */
export function ownFilesystemContext(): void {
  must(syscallResult(libc.unshare(cloneFs)), { doing: "give a Worker its own working folder" });
}
