import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterPrivateMounts } from "#base/system/namespaces/testing/private-mounts.ts";

const applets =
  `sh true false echo cat sleep ls id env pwd hostname kill yes head dd grep mount ps stat touch mkdir ln ip wget nc wc
  test seq trap printf ulimit readlink tty stty od nproc httpd date rm chmod unshare ping udhcpc`.split(/\s+/);

/** For tests: a scratch folder with a static busybox root file system in it, mounts private to this process. */
export interface Scene extends Disposable {
  readonly folder: string;
  readonly rootfs: string;
}

export function busyboxScene(): Scene {
  enterPrivateMounts();
  const folder = mkdtempSync(join(tmpdir(), "gantry-containers-"));
  const rootfs = join(folder, "rootfs");
  makeBusyboxRoot(rootfs);
  return { folder, rootfs, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export function makeBusyboxRoot(rootfs: string): void {
  for (const name of ["bin", "etc", "tmp", "proc", "sys", "dev"]) mkdirSync(join(rootfs, name), { recursive: true });
  chmodSync(join(rootfs, "tmp"), 0o1777);
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const name of applets) symlinkSync("busybox", join(rootfs, "bin", name));
  writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n");
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nada:x:1000:\nlab:x:2000:ada,bob\n");
}
