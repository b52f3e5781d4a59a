import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { end, family } from "../../bench/processes.ts";
import { openNamespaces } from "../../bench/rivals/namespace.ts";
import { UndoStack } from "../../bench/undo.ts";
import type { Api } from "../api/contract.ts";
import { openApi } from "../api/open.ts";
import { busyboxTar } from "../support/busybox.ts";

const clients = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gantry/clients");
const dockerd = join(clients, "root/usr/sbin/dockerd");

export const hasDockerd = existsSync(dockerd) && existsSync(join(clients, "oracle/runc"));

/** Docker's own engine in a mount and a network namespace of its own; with it goes all it made. */
export async function startDockerd(): Promise<{ readonly api: Api } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-oracle-"));
  const socket = join(folder, "docker.sock");
  const undo = new UndoStack();
  const names = await openNamespaces(undo);
  const log = join(folder, "log");
  const roots = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "-p", join(folder, "pid")];
  const cgroup = `gantry-oracle-${process.pid}`;
  const limits = ["--default-ulimit", "nofile=1024:1024", "--cgroup-parent", cgroup];
  const daemon = Bun.spawn(["setsid", ...names.enter, dockerd, "-H", `unix://${socket}`, ...roots, ...limits], {
    env: { ...process.env, PATH: `${join(clients, "oracle")}:${process.env.PATH}` },
    stdin: "ignore",
    stdout: Bun.file(log),
    stderr: Bun.file(log),
  });
  const api = openApi("docker", socket, folder);
  const answers = () =>
    api.ask("GET", "/_ping").then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await answers())) {
    if (daemon.exitCode !== null) throw new Error(`dockerd ended: ${readFileSync(log, "utf8").slice(-1000)}`);
    await Bun.sleep(50);
  }
  const tar = join(folder, "busybox.tar");
  writeFileSync(tar, await busyboxTar());
  const { code, err } = await api.cli(["import", "-c", 'CMD ["sh"]', tar, "busybox"]);
  if (code !== 0) throw new Error(`the image was not imported: ${err}`);
  return {
    api,
    async [Symbol.asyncDispose]() {
      for (const pid of family(daemon.pid, (name) => name === "containerd")) await end(pid);
      await undo.close();
      removeCgroups(cgroup);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Docker leaves its parent group behind in every tree, below this process's own. Those of the containers are gone. */
function removeCgroups(name: string): void {
  for (const line of readFileSync("/proc/self/cgroup", "utf8").trim().split("\n")) {
    const [, controllers = "", path = ""] = line.split(":");
    for (const tree of controllers === "" ? ["", "unified"] : [controllers.replace("name=", "")]) {
      const group = join("/sys/fs/cgroup", tree, path, name);
      if (existsSync(group)) rmdirSync(group);
    }
  }
}
