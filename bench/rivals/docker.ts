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
  // setsid and nsenter become the daemon without forking: its pid is the child's.
  let daemon: Bun.Subprocess | undefined;

  const start = async () => {
    rmSync(socket, { force: true });
    const began = performance.now();
    const log = join(folder, "log");
    const words = ["setsid", ...names.enter, "/usr/sbin/dockerd", "-H", `unix://${socket}`, "-p", join(folder, "pid")];
    const roots = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
    const limits = ["--default-ulimit", "nofile=1024:1024", "--cgroup-parent", cgroup];
    const child = Bun.spawn([...words, ...roots, ...limits], {
      stdin: "ignore",
      stdout: Bun.file(log),
      stderr: Bun.file(log),
    });
    daemon = child;
    while (!(await answers(api))) {
      if (child.exitCode !== null) throw new Error(`dockerd ended: ${readFileSync(log, "utf8").slice(-800)}`);
      await Bun.sleep(5);
    }
    return performance.now() - began;
  };
  const processes = () => (daemon === undefined ? [] : family(daemon.pid, (name) => name === "containerd"));
  const stop = async () => {
    for (const pid of processes()) await end(pid);
  };
  const close = undo.add("dockerd", async () => {
    if (await answers(api)) {
      const all = await api.listContainers({ all: true });
      for (const { Id } of all) await api.getContainer(Id).remove({ force: true, v: true });
    }
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
    remove: ["rm", "-f"],
    command,
    api,
    processes: () => Promise.resolve(processes()),
    async restart() {
      await stop();
      return await start();
    },
    [Symbol.asyncDispose]: close,
  };
}

async function answers(api: Docker): Promise<boolean> {
  try {
    await api.ping();
    return true;
  } catch {
    return false; // Not there yet, or no more.
  }
}
