import { accessSync, constants, readFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { ownUserName, subordinateIds } from "#base/core/subordinate-ids.ts";
import { installedProgram } from "#base/system/process/installed.ts";

const doing = "make the user namespace for containers";

export interface UserNetwork {
  /** rootlesskit's words for it. */
  readonly words: readonly string[];
  /** The address behind which the machine's own loopback is, for the engine alone; "" for none. */
  readonly machineLoopback: string;
}

/** What rootlesskit needs and would only half explain, and the network it is to make. Errors: "unsupported". */
export function userNetwork(): UserNetwork {
  for (const name of ["newuidmap", "newgidmap"]) installedProgram(name, doing, "uidmap");
  for (const file of ["/etc/subuid", "/etc/subgid"]) requireIds(file);
  requireTunnel("/dev/net/tun");
  // Without words on it slirp4netns keeps all of the user's rights for packets it parses.
  if (Bun.which("slirp4netns") !== null) {
    return {
      words: ["--net=slirp4netns", "--slirp4netns-sandbox=auto", "--slirp4netns-seccomp=auto"],
      machineLoopback: "10.0.2.2",
    };
  }
  if (Bun.which("pasta") !== null && majorVersion() >= 2) {
    return { words: ["--net=pasta", "--disable-host-loopback"], machineLoopback: "" };
  }
  throw missing("neither slirp4netns nor, for rootlesskit 2, pasta is installed", "Run: apt-get install slirp4netns");
}

function requireIds(file: string): void {
  const username = ownUserName();
  if (subordinateIds(textOf(file), username, process.getuid?.() ?? 0) > 0) return;
  throw missing(
    `${file} gives ${username} no ids`,
    `Run as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** pasta would wait for ever for one it may not open. */
function requireTunnel(device: string): void {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw missing(`${device} cannot be opened by this user`, `Run as root: modprobe tun; chmod 0666 ${device}`, cause);
  }
}

function majorVersion(): number {
  const { stdout } = Bun.spawnSync(["rootlesskit", "--version"], { stdio: ["ignore", "pipe", "ignore"] });
  return Number(/version v?(\d+)\./.exec(stdout.toString())?.[1] ?? 0);
}

function missing(because: string, next: string, cause?: unknown): GantryError {
  return new GantryError("unsupported", { doing, because, next, ...(cause === undefined ? {} : { cause }) });
}
