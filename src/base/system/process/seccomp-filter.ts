import { dlopen, type Pointer } from "bun:ffi";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { cString } from "#base/system/libc/text.ts";

/** A filter as libseccomp takes it; the OCI runtime specification's form is one. */
export interface FilterSource {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly syscalls?: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number;
      readonly valueTwo?: number;
      readonly op: string;
    }[];
  }[];
}

const functions = {
  seccomp_init: { args: ["u32"], returns: "ptr" },
  seccomp_release: { args: ["ptr"], returns: "void" },
  seccomp_attr_set: { args: ["ptr", "i32", "u32"], returns: "i32" },
  seccomp_arch_add: { args: ["ptr", "u32"], returns: "i32" },
  seccomp_arch_resolve_name: { args: ["ptr"], returns: "u32" },
  seccomp_syscall_resolve_name: { args: ["ptr"], returns: "i32" },
  seccomp_rule_add_array: { args: ["ptr", "u32", "i32", "u32", "ptr"], returns: "i32" },
  seccomp_export_bpf: { args: ["ptr", "i32"], returns: "i32" },
} as const;

function load() {
  return dlopen("libseccomp.so.2", functions).symbols;
}

let library: ReturnType<typeof load> | undefined;

const eexist = -17;
const optimizeAttribute = 8;
const binaryTree = 2;

/**
 * The filter as the program the kernel takes. About 15 ms for an allow-list of three architectures: worth keeping.
 * Errors: "unsupported" without libseccomp; "invalid" for a profile it refuses.
 */
export function compileFilter(source: FilterSource): Buffer {
  try {
    library ??= load();
  } catch (error) {
    throw new GantryError("unsupported", {
      doing: "compile a seccomp filter",
      because: "libseccomp is missing",
      cause: error,
    });
  }
  const defaultAction = actionNumber(source.defaultAction, source.defaultErrnoRet);
  const context = library.seccomp_init(defaultAction) as Pointer | null;
  if (context === null) throw invalid(source.defaultAction, "libseccomp refuses it as the default action");
  try {
    // Best effort: an older library compiles a slower filter.
    library.seccomp_attr_set(context, optimizeAttribute, binaryTree);
    for (const name of source.architectures ?? []) {
      const token = library.seccomp_arch_resolve_name(cString(name.replace(/^SCMP_ARCH_/, "").toLowerCase()));
      const added = library.seccomp_arch_add(context, token);
      if (added !== 0 && added !== eexist) throw invalid(name, `libseccomp answers ${added}`);
    }
    for (const rule of source.syscalls ?? []) {
      const action = actionNumber(rule.action, rule.errnoRet ?? source.defaultErrnoRet);
      if (action === defaultAction) continue;
      const args = comparisons(rule.args ?? []);
      for (const name of rule.names) {
        const number = library.seccomp_syscall_resolve_name(cString(name));
        if (number === -1) continue; // Unknown to this library: the default action covers it.
        const added = library.seccomp_rule_add_array(context, action, number, rule.args?.length ?? 0, args);
        if (added !== 0) throw invalid(name, `libseccomp answers ${added}`);
      }
    }
    return exported(library, context);
  } finally {
    library.seccomp_release(context);
  }
}

function exported(seccomp: ReturnType<typeof load>, context: Pointer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "gantry-filter-"));
  try {
    const file = join(folder, "bpf");
    const fd = openSync(file, "w", 0o600);
    const written = seccomp.seccomp_export_bpf(context, fd);
    closeSync(fd);
    if (written !== 0) throw invalid("the whole", `libseccomp answers ${written}`);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
};

const eperm = 1;

function actionNumber(name: string, errno = eperm): number {
  const base = actions[name];
  if (base === undefined) throw invalid(name, "there is no such action here");
  return name === "SCMP_ACT_ERRNO" ? base | (errno & 0xffff) : base;
}

const operators = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];

/** An array of struct scmp_arg_cmp: u32 index, u32 operator, u64 value, u64 second value. */
function comparisons(args: NonNullable<NonNullable<FilterSource["syscalls"]>[number]["args"]>): Buffer {
  const bytes = Buffer.alloc(Math.max(1, args.length) * 24);
  args.forEach((arg, at) => {
    const operator = operators.indexOf(arg.op.replace(/^SCMP_CMP_/, "")) + 1;
    if (operator === 0) throw invalid(arg.op, "there is no such comparison");
    bytes.writeUInt32LE(arg.index, at * 24);
    bytes.writeUInt32LE(operator, at * 24 + 4);
    bytes.writeBigUInt64LE(BigInt(arg.value), at * 24 + 8);
    bytes.writeBigUInt64LE(BigInt(arg.valueTwo ?? 0), at * 24 + 16);
  });
  return bytes;
}

function invalid(on: string, because: string): GantryError {
  return new GantryError("invalid", { doing: "compile the seccomp filter", on, because });
}
