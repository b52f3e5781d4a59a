import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { run } from "../command.ts";
import type { ApiEngine, Undo } from "../contract.ts";
import { end, family } from "../processes.ts";
import { ownCgroup } from "./cgroups.ts";
import { openNamespaces } from "./namespace.ts";

/** Debian's docker.io with its own command line, roots, bridge and packet rules. Its classic builder is in it. */
export async function startDocker(undo: Undo, scratch: string, rootfs: string): Promise<ApiEngine> {
  const folder = join(scratch, "docker");
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "docker.sock");
  const cgroup = `gantry-bench-docker-${process.pid}`;
  ownCgroup(undo, cgroup);
  const names = await openNamespaces(undo);
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(folder, "config"), DOCKER_BUILDKIT: "0" };
  const command = (...words: string[]) => ({ words: ["/usr/bin/docker", ...words], env });
  const api = new Docker({ socketPath: socket });
  const pidFile = join(folder, "pid");

  const start = async () => {
    rmSync(socket, { force: true });
    const began = performance.now();
    const log = Bun.file(join(folder, "log"));
    const daemon = ["setsid", ...names.enter, "/usr/sbin/dockerd", "-H", `unix://${socket}`, "-p", pidFile];
    const roots = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
    const limits = ["--default-ulimit", "nofile=1024:1024", "--cgroup-parent", cgroup];
    const child = Bun.spawn([...daemon, ...roots, ...limits], { stdin: "ignore", stdout: log, stderr: log });
    for (;;) {
      try {
        await api.ping();
        return performance.now() - began;
      } catch {
        if (child.exitCode !== null)
          throw new Error(`dockerd ended: ${readFileSync(join(folder, "log"), "utf8").slice(-800)}`);
        await Bun.sleep(5);
      }
    }
  };
  const pid = () => Number(readFileSync(pidFile, "utf8"));
  const stop = async () => {
    const daemon = pid();
    const whole = family(daemon, (name) => name === "containerd");
    await end(daemon);
    for (const process of whole) await end(process);
  };
  const close = undo.add("dockerd", async () => {
    for (const { Id } of await api.listContainers({ all: true }))
      await api.getContainer(Id).remove({ force: true, v: true });
    await stop();
    await names.close();
  });
  await start();
  await run(command("import", "-c", 'CMD ["sh"]', rootfs, "busybox"));
  await run(command("run", "--rm", "busybox", "true"));
  return {
    name: "docker",
    version: (await api.version()).Version,
    image: "busybox",
    command,
    api,
    processes: async () => family(pid(), (name) => name === "containerd"),
    async restart() {
      await stop();
      return await start();
    },
    [Symbol.asyncDispose]: close,
  };
}
