import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A user of this machine as a Debian has them: a home, subordinate ids, a run folder, no rights. */
export interface OrdinaryUser extends Disposable {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Its XDG_RUNTIME_DIR. */
  readonly run: string;
  /** Put before a program's own words to start it as this user. */
  readonly prefix: readonly string[];
  /** What runs as this user or as one of its subordinate ids. */
  processes(): string[];
}

const tunnel = "/dev/net/tun";

/** Makes one and takes it away again; opens the tunnel device meanwhile, as udev does on a real Debian. */
export function makeOrdinaryUser(): OrdinaryUser {
  const folder = mkdtempSync(join(tmpdir(), "gantry-user-"));
  chmodSync(folder, 0o755);
  const name = `gantry-${folder.slice(-6).toLowerCase()}`;
  const home = join(folder, "home");
  must(["useradd", "--create-home", "--home-dir", home, "--shell", "/bin/sh", name]);
  const [uid, gid] = idsOf(name);
  const first = subordinate("/etc/subuid", name);
  subordinate("/etc/subgid", name);
  const run = join(folder, "run");
  mkdirSync(run, { mode: 0o700 });
  chownSync(run, uid, gid);
  const mode = lstatSync(tunnel).mode & 0o777;
  chmodSync(tunnel, 0o666);
  return {
    name,
    uid,
    gid,
    home,
    run,
    prefix: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"],
    processes: () => processesOf((id) => id === uid || (id >= first && id < first + 65_536)),
    [Symbol.dispose]() {
      chmodSync(tunnel, mode);
      // Its ended processes may wait for the machine's init to look at them.
      must(["userdel", "--force", name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function must(words: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...words], { stdio: ["ignore", "ignore", "pipe"] });
  if (exitCode !== 0) throw new Error(`${words.join(" ")} ended with ${exitCode}: ${stderr.toString()}`);
}

function idsOf(name: string): readonly [number, number] {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`useradd made no ${name}`);
  const [, , uid, gid] = line.split(":").map(Number);
  return [uid!, gid!];
}

/** The first of the ids that useradd gave; it gives none to a user that has some. */
function subordinate(file: string, name: string): number {
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${name}:`));
  const first = Number(line?.split(":")[1]);
  if (!Number.isInteger(first)) throw new Error(`${file} has no ids for ${name}`);
  return first;
}

function processesOf(belongs: (uid: number) => boolean): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
      if (!belongs(uid) || /^State:\s+Z/m.test(status)) return [];
      return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch (error) {
      if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
      throw error;
    }
  });
}
