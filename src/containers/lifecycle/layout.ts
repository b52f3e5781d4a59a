import { join } from "node:path";

/**
 * Where one container's files are.
 *
 *   <data>/containers/<id>/log          what it wrote, by conmon; survives a reboot. Beside it log.tmp and segments/
 *                                       (see log-files.ts)
 *   <run>/containers/<id>/              bundle, conmon's sockets and pid files, mounted root; gone after a reboot
 *   <run>/exits/<id>                    its exit code, by conmon; removed once the database has it
 *   <run>/crun/                         the runtime's own state
 */
export interface Layout {
  readonly data: string;
  readonly run: string;
}

export interface ContainerPaths {
  readonly data: string;
  readonly log: string;
  readonly nextLog: string;
  readonly segments: string;
  readonly run: string;
  readonly rootfs: string;
  /** Parts of volumes, each bound here before a start. */
  readonly mounts: string;
  /** A memory file system while it has secrets; it outlives runs. */
  readonly secrets: string;
  readonly pidFile: string;
  readonly conmonPidFile: string;
  readonly attach: string;
  readonly control: string;
  readonly exitFile: string;
  /** conmon leaves it when the kernel ended a process for want of memory. */
  readonly oom: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

export function exitsFolder(layout: Layout): string {
  return join(layout.run, "exits");
}

export function containerPaths(layout: Layout, id: string): ContainerPaths {
  const data = join(layout.data, "containers", id);
  const run = join(layout.run, "containers", id);
  return {
    data,
    log: join(data, "log"),
    nextLog: join(data, "log.tmp"),
    segments: join(data, "segments"),
    run,
    rootfs: join(run, "rootfs"),
    mounts: join(run, "mounts"),
    secrets: join(layout.run, "secrets", id),
    pidFile: join(run, "pid"),
    conmonPidFile: join(run, "conmon.pid"),
    attach: join(run, "attach"),
    control: join(run, "ctl"),
    exitFile: join(exitsFolder(layout), id),
    oom: join(run, "oom"),
    hosts: join(run, "hosts"),
    resolvConf: join(run, "resolv.conf"),
    hostname: join(run, "hostname"),
  };
}
