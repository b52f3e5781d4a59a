import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bootstrap } from "./bootstrap.ts";
import type { BootstrapRequest } from "./contract.ts";
import { cacheName, customizeHook, reachSettings, recipe } from "./recipe.ts";
import { parseRelease } from "./release.ts";

const request: BootstrapRequest = {
  distribution: "debian",
  suite: "bookworm",
  variant: "minbase",
  include: [],
  cache: "/nowhere",
  fresh: false,
};

test("the hook takes out everything that names the machine, its package source or the day", () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-hook-"));
  try {
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    for (const path of [
      "etc/resolv.conf",
      "etc/hostname",
      "etc/apt/sources.list",
      "etc/apt/sources.list.d/a.sources",
      "etc/apt/sources.list.d/b.list",
      "etc/apt/apt.conf.d/99mmdebstrap",
      "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
      "etc/machine-id",
      "var/log/dpkg.log",
      "var/log/apt/history.log",
      "var/cache/debconf/config.dat-old",
    ]) {
      put(path, "source.example\n");
    }
    put("etc/passwd", "kept\n");
    const { exitCode } = Bun.spawnSync(["sh", "-c", customizeHook, "hook", root]);
    expect(exitCode).toBe(0);
    const left = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const texts = Object.fromEntries(left.map((file) => [file.slice(root.length + 1), readFileSync(file, "utf8")]));
    expect(texts).toEqual({ "etc/apt/sources.list": "", "etc/machine-id": "", "etc/passwd": "kept\n" });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test("mmdebstrap is told files instead of addresses, and the mode that fits the user", () => {
  const files = { sources: "/w/sources.list", aptSettings: "/w/apt.conf" };
  const root = recipe({ ...request, include: ["curl", "git"] }, files, 0);
  expect(root).toContain("--mode=root");
  expect(root).toContain("--include=curl,git");
  expect(root.slice(-3)).toEqual(["bookworm", "-", "/w/sources.list"]);
  expect(recipe(request, files, 1000)).toContain("--mode=unshare");
  expect(recipe(request, files, 1000).some((word) => word.includes("--include"))).toBe(false);
});

test("of apt's settings only what it takes to reach a package source goes along", () => {
  const dump = `APT::Architecture "amd64";
Acquire::Check-Date "false";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/own.pem";
Acquire::http::Proxy "";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Update::Post-Invoke:: "rm -f /x";
`;
  expect(reachSettings(dump)).toBe(`Acquire::Check-Date "false";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/own.pem";
`);
});

test("the cache knows apart what differs in a byte", () => {
  const name = cacheName(request, 1, "x64");
  expect(name).toMatch(/^debian-bookworm-minbase-[0-9a-f]{12}\.tar$/);
  const others = [
    cacheName(request, 2, "x64"),
    cacheName(request, 1, "arm64"),
    cacheName({ ...request, include: ["curl"] }, 1, "x64"),
    cacheName({ ...request, variant: "apt" }, 1, "x64"),
    cacheName({ ...request, mirror: "http://m.example/debian" }, 1, "x64"),
  ];
  expect(new Set([name, ...others]).size).toBe(6);
  expect(cacheName({ ...request, fresh: true, cache: "/else" }, 1, "x64")).toBe(name);
});

test("a Release file says whose it is and of when; one without a date is read too", () => {
  const signed =
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n";
  expect(parseRelease(signed)).toEqual({ origin: "Debian", date: 1_783_764_997 });
  expect(parseRelease("Suite: x\n")).toEqual({ origin: undefined, date: undefined });
});

test("a request that makes no sense is refused before anything runs", async () => {
  const refused = async (change: Partial<BootstrapRequest>) => {
    await expect(bootstrap({ ...request, ...change })).rejects.toMatchObject({ kind: "invalid" });
  };
  await refused({ suite: "--help" });
  await refused({ distribution: "../x" });
  await refused({ include: ["--hook=x"] });
  await refused({ mirror: "not an address" });
});
