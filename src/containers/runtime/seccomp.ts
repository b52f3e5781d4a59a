import type { SeccompSpec, SyscallRuleSpec } from "#formats/oci/runtime-spec.ts";
import {
  allowedCalls,
  callsByArchitecture,
  callsByCapability,
  personalities,
  socketFamiliesFrom12,
} from "./seccomp-calls.ts";

const eperm = 1;
const enosys = 38;

/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: clone(2) with any of them needs CAP_SYS_ADMIN. */
const newNamespaceFlags = 0x7e02_0000;

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/** Docker's default filter for a container with these capabilities (names without prefix). */
export function defaultSeccomp(capabilities: readonly string[], architecture: string = process.arch): SeccompSpec {
  const allowed = new Set([...allowedCalls, ...(callsByArchitecture[architecture] ?? [])]);
  for (const capability of capabilities) {
    for (const name of callsByCapability[capability] ?? []) allowed.add(name);
  }
  const mayMakeNamespaces = capabilities.includes("SYS_ADMIN");
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: eperm,
    architectures: architectures[architecture] ?? [],
    syscalls: [
      allow([...allowed].sort()),
      allow(["socket"], { index: 0, value: 12, op: "SCMP_CMP_LT" }),
      ...socketFamiliesFrom12.map((value) => allow(["socket"], { index: 0, value, op: "SCMP_CMP_EQ" })),
      ...personalities.map((value) => allow(["personality"], { index: 0, value, op: "SCMP_CMP_EQ" })),
      // The C library adds socketcall(SYS_SOCKET) of 32-bit programs beside every rule on `socket`, without its family.
      { names: ["socketcall"], action: "SCMP_ACT_ERRNO", errnoRet: enosys },
      ...(mayMakeNamespaces
        ? []
        : [
            allow(["clone"], { index: 0, value: newNamespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }),
            // Its flags are in memory where no filter can look; ENOSYS makes libc use clone instead.
            { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: enosys } satisfies SyscallRuleSpec,
          ]),
    ],
  };
}

type Argument = NonNullable<SyscallRuleSpec["args"]>[number];

function allow(names: readonly string[], ...args: Argument[]): SyscallRuleSpec {
  return { names, action: "SCMP_ACT_ALLOW", ...(args.length > 0 ? { args } : {}) };
}
