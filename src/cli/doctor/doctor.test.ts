import { describe, expect, test } from "bun:test";
import { fileSystem, room } from "./data-root.ts";
import { checkKernel } from "./kernel.ts";
import { mountOf, parseMounts } from "./mounts.ts";
import { checkPrograms } from "./programs.ts";
import { redact } from "./redact.ts";
import { findingLine } from "./report.ts";

const mountText = `21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
30 21 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 21 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
40 21 0:40 / /data\\040disk rw - nfs4 server:/x rw
`;

const healthy: Readonly<Record<string, string>> = {
  "/proc/filesystems": "nodev\ttmpfs\n\text4\nnodev\toverlay\n",
  "/proc/sys/user/max_user_namespaces": "15000\n",
  "/proc/sys/net/ipv4/ip_forward": "1\n",
  "/proc/self/limits":
    "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 20000                files\n",
};

function kernel(changes: Readonly<Record<string, string>> = {}, mounts = mountText) {
  const files = { ...healthy, ...changes };
  const findings = checkKernel((path) => files[path], parseMounts(mounts), "6.1.0");
  return Object.fromEntries(findings.map((finding) => [finding.subject, finding]));
}

describe("the kernel", () => {
  test("a machine as it should be has nothing to mend", () => {
    expect(Object.values(kernel()).every(({ state }) => state === "ok")).toBe(true);
    expect(kernel().cgroups?.found).toStartWith("hybrid");
    expect(kernel({}, "").cgroups?.state).toBe("missing");
  });

  test("each thing that is wrong comes with the command that mends it", () => {
    const bad = kernel(
      {
        "/proc/filesystems": "\text4\n",
        "/proc/sys/user/max_user_namespaces": "0\n",
        "/proc/sys/net/ipv4/ip_forward": "0\n",
        "/proc/self/limits": "Max open files            1024                 1024                files\n",
      },
      mountText.replace("shared:1 ", ""),
    );
    expect(bad.overlay).toMatchObject({ state: "missing", remedy: "modprobe overlay" });
    expect(bad["user namespaces"]?.remedy).toContain("max_user_namespaces");
    expect(bad.ip_forward?.remedy).toBe("sysctl -w net.ipv4.ip_forward=1");
    expect(bad.mounts?.remedy).toBe("mount --make-rshared /");
    expect(bad["open files"]?.state).toBe("warning");
  });

  test("overlay as a module not yet loaded is well", () => {
    const files = { "/proc/filesystems": "", "/lib/modules/6.1.0/modules.dep": "kernel/fs/overlayfs/overlay.ko.xz:\n" };
    expect(kernel(files).overlay?.state).toBe("ok");
  });
});

test("programs: a missing one is named with its package and what fails without it", () => {
  const findings = checkPrograms(0, (name) => (["nft", "mmdebstrap"].includes(name) ? null : `/usr/bin/${name}`));
  expect(findings.filter(({ state }) => state !== "ok").map(findingLine)).toEqual([
    "missing  nft: not installed: containers have no network. Run: apt-get install nftables",
    "warning  mmdebstrap: not installed: bootstrap does not work. Run: apt-get install mmdebstrap",
  ]);
  const asUser = checkPrograms(1001, (name) => (/^(newuidmap|catatonit)$/.test(name) ? null : `/usr/bin/${name}`));
  expect(asUser.filter(({ state }) => state !== "ok").map(findingLine)).toEqual([
    "missing  newuidmap: not installed: the engine cannot start without root. Run: apt-get install uidmap",
    "missing  catatonit: not installed: the engine cannot start without root. Run: apt-get install catatonit",
  ]);
});

test("the data root's file system is the deepest mount above it, and a network one is warned of", () => {
  const mounts = parseMounts(mountText);
  expect(mountOf(mounts, "/data disk/gantry")?.type).toBe("nfs4");
  expect(mountOf(mounts, "/data diskette")?.type).toBe("ext4");
  expect(fileSystem("/d", "nfs4").state).toBe("warning");
  expect(fileSystem("/d", "overlay").state).toBe("missing");
  expect(fileSystem("/d", "ext4").state).toBe("ok");
  expect([room("/d", 1e8).state, room("/d", 2e9).state, room("/d", 9e9).state]).toEqual(["missing", "warning", "ok"]);
});

test("a report keeps no password, token or header that carries one", () => {
  const secret = "hunter2hunter2";
  const lines = [
    `Authorization: Bearer ${secret}`,
    `{"authorization": "Basic ${secret}"}`,
    `X-Registry-Auth: ${secret}`,
    `password=${secret}`,
    `{"password":"${secret}","user":"a"}`,
    `"auth": "${secret}"`,
    `DB_PASSWORD=${secret} next`,
    `npm_token: ${secret}`,
    `GANTRY_API_KEY='${secret}'`,
    `https://user:${secret}@registry.example/v2/`,
    `//server/share /mnt cifs rw,username=a,password=${secret},vers=3`,
    `identitytoken="${secret}"`,
    `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
  ];
  for (const line of lines) expect(redact(line)).not.toContain(secret);
  const plain =
    "2026-11-24T01:51:59.865Z engine 0.1.0 listens at /run/gantry/gantry.sock\n21 1 254:0 / / rw - ext4 /dev/root rw";
  expect(redact(plain)).toBe(plain);
});
