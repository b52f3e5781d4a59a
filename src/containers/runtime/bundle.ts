import { GantryError } from "#base/core/errors.ts";
import type { NamespaceSpec, NamespaceType, RuntimeSpec, SeccompSpec } from "#formats/oci/runtime-spec.ts";
import { chooseCapabilities } from "./capabilities.ts";
import { filterAnnotation } from "./compiled-filters.ts";
import type { ContainerSpec, NamespaceChoice, ResolvedUser } from "./contract.ts";
import { devicesFor } from "./devices.ts";
import { resourceLimits } from "./limits.ts";
import { mountsFor } from "./mounts.ts";
import { defaultMaskedPaths, defaultReadonlyPaths } from "./paths.ts";
import { type HostFacts, initTarget, processFor } from "./process-spec.ts";
import { defaultSeccomp } from "./seccomp.ts";
import { checkSysctls } from "./sysctls.ts";
import type { AccountFiles } from "./users.ts";

/** `config.json` of a bundle. Pure but for looking at mount sources and devices. No hooks, ever; the one annotation is ours. */
export function bundleConfig(
  spec: ContainerSpec,
  host: HostFacts,
  accounts: AccountFiles,
): { readonly config: RuntimeSpec; readonly user: ResolvedUser } {
  const init = spec.init ? initFor(host) : undefined;
  const { oci: process, user } = processFor(spec.process, {
    container: spec,
    host,
    accounts,
    ...(init === undefined ? {} : { before: [initTarget, "--"] }),
  });
  const privileged = spec.privileged ?? false;
  const devices = devicesFor(spec.devices ?? [], privileged, spec.deviceRules);
  const capabilities = privileged
    ? host.capabilities
    : chooseCapabilities(spec.process.capabilities ?? {}, host.capabilities);
  const ownUts = (spec.namespaces.uts ?? { kind: "new" }).kind === "new";
  const seccomp = seccompOf(spec, capabilities);
  return {
    user,
    config: {
      ociVersion: "1.0.2",
      process,
      root: { path: spec.rootfs, readonly: spec.readonlyRootfs ?? false },
      ...(seccomp === undefined ? {} : { annotations: filterAnnotation(seccomp) }),
      ...(ownUts && spec.hostname !== undefined ? { hostname: checkedHostname(spec.hostname) } : {}),
      mounts: [
        ...mountsFor(spec),
        ...(init === undefined
          ? []
          : [{ destination: initTarget, type: "bind", source: init, options: ["bind", "ro", "rprivate"] }]),
      ],
      linux: {
        namespaces: namespacesOf(spec),
        ...(spec.withoutCgroup ? {} : { cgroupsPath: spec.cgroup }),
        ...(devices.nodes.length > 0 ? { devices: devices.nodes } : {}),
        ...(spec.withoutCgroup
          ? {}
          : { resources: { ...resourceLimits(spec.resources ?? {}), devices: devices.rules } }),
        sysctl: {
          ...checkSysctls(spec.sysctls ?? {}, spec.namespaces),
          ...(ownUts && spec.domainname !== undefined ? { "kernel.domainname": checkedHostname(spec.domainname) } : {}),
        },
        ...(seccomp === undefined ? {} : { seccomp }),
        maskedPaths: privileged ? [] : (spec.maskedPaths ?? defaultMaskedPaths),
        readonlyPaths: privileged ? [] : (spec.readonlyPaths ?? defaultReadonlyPaths),
      },
    },
  };
}

function namespacesOf(spec: ContainerSpec): NamespaceSpec[] {
  const fresh: NamespaceChoice = { kind: "new" };
  const { network, ipc = fresh, uts = fresh, pid = fresh, cgroup = { kind: "host" } } = spec.namespaces;
  const one = (type: NamespaceType, choice: NamespaceChoice): NamespaceSpec[] => {
    if (choice.kind === "host") return [];
    return [choice.kind === "path" ? { type, path: choice.path } : { type }];
  };
  return [
    { type: "mount" },
    ...one("pid", pid),
    ...one("network", network),
    ...one("ipc", ipc),
    ...one("uts", uts),
    ...one("cgroup", cgroup),
  ];
}

function seccompOf(spec: ContainerSpec, capabilities: readonly string[]): SeccompSpec | undefined {
  const choice = spec.seccomp ?? "default";
  if (choice === "unconfined" || (spec.privileged && choice === "default")) return undefined;
  if (choice === "default") return defaultSeccomp(capabilities);
  if (typeof choice.defaultAction !== "string") {
    throw new GantryError("invalid", {
      doing: "use the seccomp profile",
      because: "it has no defaultAction",
      next: "Give a profile in the OCI runtime specification's form.",
    });
  }
  return choice as unknown as SeccompSpec;
}

function initFor(host: HostFacts): string {
  if (host.init !== undefined) return host.init;
  throw new GantryError("unsupported", {
    doing: "put an init before the program",
    because: "catatonit is not installed",
    next: "Run: apt-get install catatonit",
  });
}

function checkedHostname(name: string): string {
  if (/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62})$/.test(name)) return name;
  throw new GantryError("invalid", {
    doing: "use the host name",
    on: name,
    because: "it must be 1 to 63 letters, digits, dots and dashes and begin with a letter or digit",
  });
}
