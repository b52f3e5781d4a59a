import { posix } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { readInRoot } from "#base/system/process/rooted-read.ts";
import type { ProcessSpec as OciProcess } from "#formats/oci/runtime-spec.ts";
import { capabilitiesFor, chooseCapabilities } from "./capabilities.ts";
import type { ContainerSpec, ProcessSpec, ResolvedUser } from "./contract.ts";
import { completeEnvironment } from "./environment.ts";
import { type HardLimits, rlimitsFor } from "./limits.ts";
import { type AccountFiles, resolveUser } from "./users.ts";

/** What of this machine a bundle depends on, read once. */
export interface HostFacts {
  readonly capabilities: readonly string[];
  readonly hardLimits: HardLimits;
  /** Absolute path of the small init, when it is installed. */
  readonly init?: string;
}

/** More than any real file has (CVE-2026-47262); what lies beyond is not read. */
const largestAccountFile = 4 * 1024 * 1024;

export function readAccountFiles(rootfs: string): AccountFiles {
  const read = (path: string) => readInRoot(rootfs, path, largestAccountFile)?.toString("utf8") ?? "";
  return { passwd: read("/etc/passwd"), group: read("/etc/group") };
}

/** Where the init is bound in, as Docker has it. */
export const initTarget = "/sbin/docker-init";

export interface ProcessFacts {
  readonly container: Pick<ContainerSpec, "privileged" | "hostname">;
  readonly host: HostFacts;
  readonly accounts: AccountFiles;
  /** Put before the process's own words. */
  readonly before?: readonly string[];
}

/** A process as the runtime specification has it, everything in it checked. */
export function processFor(spec: ProcessSpec, facts: ProcessFacts): { oci: OciProcess; user: ResolvedUser } {
  const user = resolveUser(spec.user ?? "", spec.additionalGroups ?? [], facts.accounts);
  const args = [...(facts.before ?? []), ...spec.args];
  if (spec.args.length === 0 || spec.args[0] === "") {
    throw new GantryError("invalid", {
      doing: "start a process",
      because: "no program is named",
      next: "Give a command, or use an image that has one.",
    });
  }
  const nul = args.find((word) => word.includes("\0"));
  if (nul !== undefined) {
    throw new GantryError("invalid", { doing: "start a process", on: nul, because: "an argument holds a NUL byte" });
  }
  const privileged = facts.container.privileged ?? false;
  const capabilities = privileged
    ? facts.host.capabilities
    : chooseCapabilities(spec.capabilities ?? {}, facts.host.capabilities);
  const terminal = spec.terminal ?? false;
  return {
    user,
    oci: {
      terminal,
      ...(spec.size && terminal ? { consoleSize: { height: spec.size.rows, width: spec.size.columns } } : {}),
      cwd: checkedCwd(spec.cwd ?? "/"),
      args,
      env: completeEnvironment(spec.env ?? [], {
        home: user.home,
        terminal,
        ...(facts.container.hostname === undefined ? {} : { hostname: facts.container.hostname }),
      }),
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids, umask: 0o022 },
      capabilities: capabilitiesFor(capabilities, user.uid),
      rlimits: rlimitsFor(spec.ulimits ?? [], facts.host.hardLimits),
      noNewPrivileges: spec.noNewPrivileges ?? false,
      ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: checkedOomScore(spec.oomScoreAdj) }),
    },
  };
}

/** /proc/self/fd/N could be a folder of the host that a runtime left open (CVE-2024-21626). */
export function checkedCwd(cwd: string): string {
  if (!cwd.startsWith("/") || cwd.includes("\0")) {
    throw new GantryError("invalid", { doing: "use the working folder", on: cwd, because: "it is no absolute path" });
  }
  const clean = posix.normalize(cwd);
  if (/^\/(proc|dev)\/(self|thread-self|[0-9]+|fd)(\/|$)/.test(clean)) {
    throw new GantryError("invalid", {
      doing: "use the working folder",
      on: cwd,
      because: "a process's own open files are no place to work in",
      next: "Name an ordinary folder.",
    });
  }
  return clean;
}

function checkedOomScore(score: number): number {
  if (Number.isInteger(score) && score >= -1000 && score <= 1000) return score;
  throw new GantryError("invalid", {
    doing: "set the out-of-memory score",
    on: String(score),
    because: "it must be a whole number from -1000 to 1000",
  });
}
