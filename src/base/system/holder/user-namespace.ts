import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { installedProgram } from "#base/system/process/installed.ts";
import { type Holder, holderLayout, userHolderFolder } from "./contract.ts";
import { withLock } from "./lock.ts";
import { userNetwork } from "./user-needs.ts";

export interface UserHolderOptions {
  readonly run: string;
  readonly layout?: number;
}

/**
 * Runs inside, as the last thing rootlesskit starts. What the host has below /sys/fs/cgroup is covered: crun refuses a
 * hybrid tree outright, and writes in none of it where nothing is the user's.
 */
const script = `printf '%s\\n' "$1" | nft -f - || exit
mount -t tmpfs -o ro,nosuid,nodev,noexec,mode=755 tmpfs /sys/fs/cgroup || exit
echo ready
exec catatonit -P >/dev/null`;

/**
 * slirp4netns takes every address of its network but the name server's for the machine's loopback. The engine needs
 * that to reach a registry there; containers, whose packets are forwarded, must not.
 */
const guard = `table inet holder {
  chain machine {
    type filter hook forward priority -300; policy accept;
    ip daddr 10.0.2.0/24 ip daddr != 10.0.2.3 drop
  }
}`;

export function openUserHolder({ run, layout = holderLayout }: UserHolderOptions): Holder {
  const folder = userHolderFolder(run, layout);
  const lock = `${run}/holder.lock`;
  return {
    get prefix() {
      const pid = waiting(folder);
      if (pid === undefined) throw refused("nothing keeps it");
      return ["nsenter", `--target=${pid}`, "--user", "--preserve-credentials", "--mount", "--net", "--"];
    },
    exists: () => waiting(folder) !== undefined,
    make: async () => {
      mkdirSync(run, { recursive: true, mode: 0o700 });
      await withLock(lock, async () => {
        if (waiting(folder) === undefined) await start(run, folder);
      });
    },
    remove: async () => {
      if (!existsSync(run)) return;
      await withLock(lock, () => end(folder));
      rmSync(lock, { force: true });
    },
  };
}

/** rootlesskit's own process inside, told from another of its number by its words. It passes signals on. */
function waiting(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(`${folder}/child_pid`, "utf8"));
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.includes(`--state-dir=${folder}`) ? pid : undefined;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

async function start(run: string, folder: string): Promise<void> {
  const program = installedProgram("rootlesskit", "make the user namespace for containers");
  installedProgram("catatonit", "make the user namespace for containers");
  const network = userNetwork();
  // What an earlier one left that was killed.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const words = [
    `--state-dir=${folder}`,
    ...network.words,
    "--mtu=65520",
    "--port-driver=builtin",
    "--propagation=rslave",
  ];
  const log = `${run}/holder.log`;
  const fd = openSync(log, "w", 0o600);
  try {
    const child = Bun.spawn([program, ...words, "sh", "-c", script, "holder", guard], {
      cwd: "/",
      env: { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: process.env.HOME ?? "/" },
      stdio: ["ignore", "pipe", fd],
      detached: true,
    });
    const ended = child.exited.then(() => false);
    const inside = await saysReady(child.stdout);
    if (!inside || !(await Promise.race([appears(folder, "api.sock"), ended]))) {
      throw refused(lastWords(readFileSync(log, "utf8")));
    }
    writeFileSync(`${folder}/machine-loopback`, network.machineLoopback);
    child.unref();
  } finally {
    closeSync(fd);
  }
}

/** The outer half of rootlesskit makes its API's socket last, and does not wait for what runs inside. */
async function appears(folder: string, name: string): Promise<true> {
  const watcher = watch(folder);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<true>();
    const look = () => {
      if (existsSync(`${folder}/${name}`)) resolve(true);
    };
    watcher.on("change", look).on("error", reject);
    look();
    return await promise;
  } finally {
    watcher.close();
  }
}

/** False when its end comes first. */
async function saysReady(stdout: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = stdout.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (value !== undefined) text += Buffer.from(value).toString("utf8");
    if (text.includes("ready\n") || done) return text.includes("ready\n");
  }
}

/** What went wrong inside comes first; rootlesskit's own lines then repeat that it did. */
function lastWords(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "" && !line.includes("level=warning"));
  const said = lines.find((line) => !line.startsWith("[rootlesskit:")) ?? lines.at(-1) ?? "it gave no reason";
  return /msg="((?:[^"\\]|\\.)*)"/.exec(said)?.[1]?.replaceAll('\\"', '"') ?? said;
}

/** rootlesskit ends, and takes its folder away, when the program it started ends. */
async function end(folder: string): Promise<void> {
  const pid = waiting(folder);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    // It holds its lock to its end; flock(1) waits without polling.
    await Bun.spawn(["flock", `${folder}/lock`, "true"], { stdio: ["ignore", "ignore", "ignore"] }).exited;
  }
  rmSync(folder, { recursive: true, force: true });
}

function refused(because: string): GantryError {
  return new GantryError("unsupported", {
    doing: "make the user namespace for containers",
    because,
    next: "`gantry doctor` names what is missing.",
  });
}
