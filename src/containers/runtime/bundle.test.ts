import { expect, test } from "bun:test";
import { type GantryError, isKind } from "#base/core/errors.ts";
import { bundleConfig } from "./bundle.ts";
import { defaultCapabilities, hostCapabilities } from "./capabilities.ts";
import type { ContainerSpec } from "./contract.ts";
import { mergeEnvironment } from "./environment.ts";
import { readHardLimits } from "./limits.ts";
import { allowedCalls, socketFamiliesFrom12 } from "./seccomp-calls.ts";

const host = {
  capabilities: hostCapabilities("CapBnd:\t000001fffeffffff"),
  hardLimits: { nofile: 20_000, nproc: 96_365, stack: Number.POSITIVE_INFINITY, core: Number.POSITIVE_INFINITY },
  init: "/usr/bin/catatonit",
};
const accounts = { passwd: "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n", group: "" };

type Overrides = Omit<Partial<ContainerSpec>, "process"> & { process?: Partial<ContainerSpec["process"]> };

function config({ process, ...rest }: Overrides = {}) {
  return bundleConfig(
    {
      rootfs: "/r",
      namespaces: { network: { kind: "new" } },
      cgroup: "/gantry/x",
      process: { args: ["true"], ...process },
      ...rest,
    },
    host,
    accounts,
  ).config;
}

function refusal(overrides: Overrides): GantryError {
  try {
    config(overrides);
  } catch (error) {
    if (isKind(error)) return error;
  }
  throw new Error("was not refused");
}

test("an ordinary container has Docker's capabilities, and only a root process holds them", () => {
  const full = defaultCapabilities.map((name) => `CAP_${name}`).sort();
  const root = config().process!.capabilities!;
  expect([...root.bounding!].sort()).toEqual(full);
  expect([...root.effective!].sort()).toEqual(full);
  const ada = config({ process: { user: "ada" } }).process!.capabilities!;
  expect([ada.effective, ada.permitted, ada.inheritable, ada.ambient]).toEqual([[], [], [], []]);
  expect(ada.bounding).toHaveLength(14);
});

test("capabilities are added and dropped by name with or without prefix; ALL is what the machine has", () => {
  const bounding = (request: ContainerSpec["process"]["capabilities"]) =>
    config({ process: { capabilities: request! } }).process!.capabilities!.bounding!;
  expect(bounding({ add: ["net_admin"], drop: ["CAP_CHOWN"] })).toContain("CAP_NET_ADMIN");
  expect(bounding({ drop: ["ALL"], add: ["KILL"] })).toEqual(["CAP_KILL"]);
  expect(bounding({ add: ["ALL"] })).toHaveLength(40);
  expect(bounding({ add: ["ALL"] })).not.toContain("CAP_SYS_RESOURCE");
  expect(refusal({ process: { capabilities: { add: ["SYS_RESOURCE"] } } }).message).toContain("does not have it");
  expect(refusal({ process: { capabilities: { add: ["FLY"] } } }).kind).toBe("invalid");
});

test("every bundle has a fresh tmpfs /dev, no hooks and no foreign annotations, whatever is asked", () => {
  for (const overrides of [{}, { privileged: true }, { mounts: [{ type: "tmpfs", target: "/x" }] as const }]) {
    const made = config(overrides);
    expect(made.mounts!.find((mount) => mount.destination === "/dev")).toMatchObject({ type: "tmpfs" });
    expect(made.hooks).toBeUndefined();
    expect(Object.keys(made.annotations ?? {}).filter((name) => name !== "run.oci.seccomp_bpf_data")).toEqual([]);
  }
});

test("the kernel's own places cannot be mounted over, not even by a detour", () => {
  for (const target of ["/", "/proc", "/proc/", "//proc/./sys", "/x/../proc/1", "/sys", "/dev", "relative", "/../.."]) {
    expect(refusal({ mounts: [{ type: "tmpfs", target }] }).kind).toBe("invalid");
  }
  expect(config({ mounts: [{ type: "bind", source: "/dev/null", target: "/proc/cpuinfo" }] }).mounts).toHaveLength(9);
});

test("outer mounts come before inner ones, and one on a kernel mount's place takes it", () => {
  const made = config({
    mounts: [
      { type: "tmpfs", target: "/a/b/c" },
      { type: "tmpfs", target: "/a" },
      { type: "tmpfs", target: "/dev/shm", size: 4096 },
    ],
  }).mounts!.map((mount) => mount.destination);
  expect(made.indexOf("/a")).toBeLessThan(made.indexOf("/a/b/c"));
  expect(made.filter((destination) => destination === "/dev/shm")).toHaveLength(1);
  expect(
    refusal({
      mounts: [
        { type: "tmpfs", target: "/a" },
        { type: "tmpfs", target: "/a/" },
      ],
    }).kind,
  ).toBe("invalid");
});

test("limits: defaults are clipped, asked ones above the hard limit refused, unlimited is written whole", () => {
  expect(config().process!.rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 1024, hard: 20_000 }]);
  const error = refusal({ process: { ulimits: [{ name: "nofile", soft: 1, hard: 20_001 }] } });
  expect(error.message).toBe(
    'Cannot set the ulimit "nofile": 20001 is above this machine\'s hard limit of 20000. Ask for 20000 at most.',
  );
  expect(refusal({ process: { ulimits: [{ name: "nproc", soft: -1, hard: -1 }] } }).kind).toBe("invalid");
  const text = JSON.stringify(config({ process: { ulimits: [{ name: "core", soft: -1, hard: -1 }] } }));
  expect(text).toContain('"soft":18446744073709551615');
  expect(refusal({ process: { ulimits: [{ name: "wings", soft: 1, hard: 1 }] } }).message).toContain("Known are:");
});

test("this machine's hard limits are read", () => {
  expect(readHardLimits("Max open files            1024                 20000                files     ").nofile).toBe(
    20_000,
  );
  expect(readHardLimits("Max cpu time              unlimited            unlimited            seconds   ").cpu).toBe(
    Number.POSITIVE_INFINITY,
  );
});

test("resources outside their bounds are refused with the bound", () => {
  const kinds = [
    { memory: 1000 },
    { memorySwap: 1e9 },
    { memory: 1e9, memorySwap: 1e8 },
    { cpuShares: 1 },
    { cpuPeriod: 1 },
    { cpusetCpus: "0-" },
    { memory: 1e8, memoryReservation: 1e9 },
  ].map((resources) => refusal({ resources }).kind);
  expect(new Set(kinds)).toEqual(new Set(["invalid"]));
  expect(config({ resources: { memory: 1e9 } }).linux!.resources!.memory).toEqual({ limit: 1e9, swap: 2e9 });
});

test("sysctls: only those of an own namespace, and no value with a second setting in it (CVE-2022-0811)", () => {
  const set = (name: string, value = "1") => refusal({ sysctls: { [name]: value } }).kind;
  expect(set("kernel.core_pattern", "|/x")).toBe("invalid");
  expect(set("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x")).toBe("invalid");
  expect(set("net.ipv4.ip_forward", "1\nkernel.x=2")).toBe("invalid");
  expect(set("net/ipv4/ip_forward")).toBe("invalid");
  expect(
    refusal({ sysctls: { "net.ipv4.ip_forward": "1" }, namespaces: { network: { kind: "host" } } }).message,
  ).toContain("host's network namespace");
  expect(config({ sysctls: { "net.ipv4.ip_local_port_range": "1024 65000" } }).linux!.sysctl).toEqual({
    "net.ipv4.ip_local_port_range": "1024 65000",
  });
});

test("the default filter has no way to AF_ALG, AF_VSOCK, new namespaces, key rings or io_uring", () => {
  expect(socketFamiliesFrom12).not.toContain(38);
  expect(socketFamiliesFrom12).not.toContain(40);
  for (const name of [
    "socket",
    "socketcall",
    "clone",
    "clone3",
    "unshare",
    "setns",
    "mount",
    "keyctl",
    "io_uring_setup",
    "bpf",
    "personality",
    "userfaultfd",
  ]) {
    expect(allowedCalls).not.toContain(name);
  }
  expect(new Set(allowedCalls).size).toBe(allowedCalls.length);
  expect(config({ seccomp: "unconfined" }).linux!.seccomp).toBeUndefined();
  expect(config({ privileged: true }).linux!.seccomp).toBeUndefined();
});

test("environment: later wins in place, a bare name takes out, what is missing is completed", () => {
  expect(mergeEnvironment(["A=1", "B=2"], ["A=3", "B", "C=4=5"])).toEqual(["A=3", "C=4=5"]);
  expect(() => mergeEnvironment(["=x"], [])).toThrow();
  const env = config({ process: { env: ["HOME=/h"], terminal: true }, hostname: "box" }).process!.env!;
  expect(env).toEqual([
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=box",
    "TERM=xterm",
    "HOME=/h",
  ]);
});

test("names and words that cannot be are refused", () => {
  expect(refusal({ hostname: "-x" }).kind).toBe("invalid");
  expect(refusal({ process: { args: [] } }).message).toContain("no program is named");
  expect(refusal({ process: { args: ["a\0b"] } }).kind).toBe("invalid");
  expect(refusal({ devices: [{ source: "/etc/passwd", target: "/dev/x" }] }).message).toContain("it is no device");
  expect(refusal({ process: { oomScoreAdj: 2000 } }).kind).toBe("invalid");
});
