import { readFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { CapabilitiesSpec } from "#formats/oci/runtime-spec.ts";

/** By number, as linux/capability.h has them. */
const names =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
  SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
  MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/);

/** What Docker gives by default. */
export const defaultCapabilities: readonly string[] =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
  AUDIT_WRITE`.split(/\s+/);

/** The capabilities this machine's root has to give, from the bounding set (a sandboxed root may lack some). */
export function hostCapabilities(status = readFileSync("/proc/self/status", "utf8")): readonly string[] {
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return names.filter((_name, number) => (bits >> BigInt(number)) & 1n);
}

export interface CapabilityRequest {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
}

/** The set a container gets: names without prefix. "ALL" is all the machine has. */
export function chooseCapabilities(request: CapabilityRequest, host: readonly string[]): readonly string[] {
  const add = new Set((request.add ?? []).map(canonical));
  const drop = new Set((request.drop ?? []).map(canonical));
  const missing = [...add].find((name) => name !== "ALL" && !host.includes(name));
  if (missing !== undefined) {
    throw new GantryError("invalid", {
      doing: "add the capability",
      on: missing,
      because: "this machine's root does not have it to give",
    });
  }
  const base = add.has("ALL") ? host : drop.has("ALL") ? [] : defaultCapabilities;
  const chosen = new Set([...base, ...add]);
  return host.filter((name) => chosen.has(name) && !drop.has(name));
}

/**
 * How the set is handed to the process. Never inheritable nor ambient (CVE-2022-24769); an ordinary user has them in
 * the bounding set only, so that only a file or setuid program can gain them.
 */
export function capabilitiesFor(chosen: readonly string[], uid: number): CapabilitiesSpec {
  const full = chosen.map((name) => `CAP_${name}`);
  const held = uid === 0 ? full : [];
  return { bounding: full, effective: held, permitted: held, inheritable: [], ambient: [] };
}

function canonical(name: string): string {
  const upper = name.toUpperCase().replace(/^CAP_/, "");
  if (upper === "ALL" || names.includes(upper)) return upper;
  throw new GantryError("invalid", {
    doing: "read the capability",
    on: name,
    because: "there is none of that name",
    next: "See capabilities(7); names go with or without CAP_.",
  });
}
