import { isKind } from "#base/core/errors.ts";
import { compileFilter } from "#base/system/process/seccomp-filter.ts";
import type { SeccompSpec } from "#formats/oci/runtime-spec.ts";

/** Most profiles kept; in practice there are one or two. */
const most = 16;

const compiled = new Map<string, string | undefined>();

/**
 * crun compiles a filter anew at each start, 15 ms for the default one; under this annotation it takes the kernel's
 * own form instead. The profile itself stays in the bundle for a runtime that does not know the annotation.
 */
export function filterAnnotation(profile: SeccompSpec): Readonly<Record<string, string>> {
  const key = JSON.stringify(profile);
  if (!compiled.has(key)) {
    if (compiled.size >= most) compiled.delete(compiled.keys().next().value!);
    compiled.set(key, compile(profile));
  }
  const data = compiled.get(key);
  return data === undefined ? {} : { "run.oci.seccomp_bpf_data": data };
}

function compile(profile: SeccompSpec): string | undefined {
  // Flags and notification need the runtime's own handling.
  if (profile.flags?.length || profile.syscalls?.some((rule) => rule.action === "SCMP_ACT_NOTIFY")) return undefined;
  try {
    return compileFilter(profile).toString("base64");
  } catch (error) {
    if (isKind(error, "unsupported")) return undefined;
    throw error;
  }
}
