import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { enoughIds, subordinateIds } from "#base/core/subordinate-ids.ts";
import { type Finding, missing, ok, warning } from "./finding.ts";
import type { ReadText } from "./kernel.ts";
import { findProgram } from "./programs.ts";

export interface UserFacts {
  readonly uid: number;
  readonly name: string;
  readonly read: ReadText;
  /** Whether this user may open a device to read and write. */
  readonly opens: (device: string) => boolean;
  /** Whether overlay can be mounted in a user namespace below a folder; the reason when not. */
  readonly overlay: () => string | undefined;
}

/** What an ordinary user's engine needs beside what root's does. */
export function checkUser({ uid, name, read, opens, overlay }: UserFacts): Finding[] {
  return [...ids(read, name, uid), tunnel(opens), userOverlay(overlay()), limits()];
}

function ids(read: ReadText, name: string, uid: number): Finding[] {
  return ["/etc/subuid", "/etc/subgid"].map((file) => {
    const subject = file.slice("/etc/".length);
    const count = subordinateIds(read(file) ?? "", name, uid);
    const remedy = `usermod --add-${subject}s 100000-165535 ${name} (as root; take a range nobody else has)`;
    if (count === 0) return missing(subject, `${file} gives ${name} no ids`, remedy);
    if (count < enoughIds) return warning(subject, `${name} has ${count} ids; many images use ${enoughIds}`, remedy);
    return ok(subject, `${count} ids for ${name}`);
  });
}

function tunnel(opens: UserFacts["opens"]): Finding {
  const device = "/dev/net/tun";
  if (opens(device)) return ok("tun", `${device} can be opened`);
  return missing(
    "tun",
    `${device} cannot be opened: there is no network`,
    `modprobe tun; chmod 0666 ${device} (as root)`,
  );
}

function userOverlay(failure: string | undefined): Finding {
  if (failure === undefined) return ok("user overlay", "overlay can be mounted in a user namespace");
  return missing(
    "user overlay",
    `overlay cannot be mounted in a user namespace: ${failure}`,
    "It takes Linux 5.11 and a local file system below the data root.",
  );
}

/** Delegated ones are not used yet: docs/rootless.md. */
function limits(): Finding {
  const found = "a user's engine has no cgroups: limits, pause and stats are refused";
  return warning("limits", found, "Run the engine as root for them.");
}

export function opensDevice(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false; // Why is for the remedy to say: both reasons have one.
  }
}

const attempt = `d=$(mktemp -d "$1/gantry-doctor-XXXXXX") && cd "$d" && mkdir l u w m || exit
mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr m && umount m
code=$?
cd / && rm -rf "$d"
exit $code`;

/** Tries it, and leaves nothing. */
export function tryOverlay(dataRoot: string): string | undefined {
  let place = dataRoot;
  while (!existsSync(place)) place = dirname(place);
  const unshare = findProgram("unshare");
  if (unshare === null) return "unshare is not installed";
  const tried = Bun.spawnSync([unshare, "--user", "--map-root-user", "--mount", "sh", "-c", attempt, "doctor", place], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return tried.exitCode === 0 ? undefined : tried.stderr.toString().trim().split("\n", 1)[0] || "it gave no reason";
}
