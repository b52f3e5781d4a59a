/**
 * A program, not a test: run in a mount namespace where /sys/fs/cgroup is a cgroup2 mount, it runs one container without
 * limits and prints what it said.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCrun } from "../crun.ts";
import { makeBusyboxRoot } from "./busybox-root.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-cgroup2-"));
try {
  makeBusyboxRoot(join(folder, "rootfs"));
  mkdirSync(join(folder, "bundle"));
  const runtime = openCrun({ state: join(folder, "crun") });
  const { code } = await runtime.run({
    id: `gantry-cgroup2-${process.pid}`,
    bundle: join(folder, "bundle"),
    spec: {
      rootfs: join(folder, "rootfs"),
      namespaces: { network: { kind: "new" } },
      cgroup: `/gantry-cgroup2-${process.pid}`,
      withoutCgroup: true,
      process: { args: ["sh", "-c", "echo ran; exit 3"] },
    },
    onOutput: (_stream, bytes) => void process.stdout.write(bytes),
  });
  process.exitCode = code;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
