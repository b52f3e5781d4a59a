import { expect, test } from "bun:test";
import { join } from "node:path";

test("on a cgroup v2 mount a container starts without limits", async () => {
  const script = 'mount --make-rprivate / && mount -t cgroup2 none /sys/fs/cgroup && exec "$0" "$1"';
  const program = join(import.meta.dir, "testing/run-on-cgroup2.ts");
  const child = Bun.spawn(["unshare", "--mount", "sh", "-c", script, process.execPath, program], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, out, err }).toEqual({ code: 3, out: "ran\n", err: "" });
});
