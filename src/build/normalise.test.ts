import { expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { normalise } from "./normalise.ts";
import { removalRules } from "./normalise-rules.ts";

const layerTime = 1_600_000_000;
const context = { aborted: () => false, check: () => undefined, progress: () => undefined };

function upper(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "gantry-upper-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function run(folder: string, removeVolatile = true) {
  return normalise({ upper: folder, layerTime, byRun: true, removeVolatile }, context);
}

function python(folder: string, script: string): string {
  const env = { PATH: process.env.PATH ?? "", PYTHONPATH: folder };
  return Bun.spawnSync(["python3", "-v", "-c", script], { env, cwd: "/" }).stderr.toString();
}

test("times newer than the layer's become it, older ones and what links point at stay", () => {
  using folder = upper();
  using outside = upper();
  writeFileSync(join(folder.path, "new"), "");
  writeFileSync(join(folder.path, "old"), "");
  utimesSync(join(folder.path, "old"), 1_400_000_000, 1_400_000_000);
  mkdirSync(join(folder.path, "d/e"), { recursive: true });
  writeFileSync(join(outside.path, "target"), "");
  symlinkSync(join(outside.path, "target"), join(folder.path, "link"));
  symlinkSync(outside.path, join(folder.path, "folder-link"));
  const before = statSync(join(outside.path, "target")).mtimeMs;
  run(folder.path);
  const seconds = (name: string) => lstatSync(join(folder.path, name)).mtimeMs / 1000;
  expect(["new", "old", "d", "d/e", "link", "folder-link"].map(seconds)).toEqual([
    layerTime,
    1_400_000_000,
    layerTime,
    layerTime,
    layerTime,
    layerTime,
  ]);
  expect(statSync(join(outside.path, "target")).mtimeMs).toBe(before);
});

test("a listed file goes; a folder or link of its name, or one reached through a link, does not", () => {
  using folder = upper();
  using outside = upper();
  const path = (name: string) => join(folder.path, name);
  mkdirSync(path("var/log/apt"), { recursive: true });
  writeFileSync(path("var/log/dpkg.log"), "");
  mkdirSync(path("var/log/apt/term.log"));
  symlinkSync("dpkg.log", path("var/log/alternatives.log"));
  writeFileSync(path("var/log/other.log"), "");
  symlinkSync(outside.path, path("var/cache"));
  mkdirSync(join(outside.path, "apt"));
  writeFileSync(join(outside.path, "apt/pkgcache.bin"), "host");
  expect(run(folder.path).changes).toEqual([{ rule: "package-logs", paths: ["var/log/dpkg.log"] }]);
  expect(readFileSync(join(outside.path, "apt/pkgcache.bin"), "utf8")).toBe("host");
  expect(lstatSync(path("var/log/alternatives.log")).isSymbolicLink()).toBe(true);
  writeFileSync(path("var/log/dpkg.log"), "");
  expect(run(folder.path, false).changes).toEqual([]);
});

test("every rule gives a reason, and no path climbs or is named twice", () => {
  const paths = removalRules.flatMap((rule) => rule.paths);
  expect(new Set(paths).size).toBe(paths.length);
  for (const path of paths) expect(path).toMatch(/^[a-z]+(?:\/[a-zA-Z0-9._-]+)+$/);
  for (const rule of removalRules) expect(rule.reason.length).toBeGreaterThan(20);
});

test.skipIf(Bun.which("python3") === null)(
  "compiled Python names its source's new time: nothing is stale for the interpreter",
  () => {
    using folder = upper();
    writeFileSync(join(folder.path, "made_here.py"), "X = 1\n");
    python(folder.path, "import made_here");
    expect(run(folder.path).changes.map((change) => change.rule)).toEqual(["pyc-times"]);
    const said = python(folder.path, "import made_here");
    expect(said).toMatch(/made_here\.cpython-\d+\.pyc matches /);
    expect(said).not.toContain("stale");
  },
);

test.skipIf(Bun.which("python3") === null)(
  "compiled Python that was stale stays stale, and one that names a hash is left alone",
  () => {
    using folder = upper();
    const source = join(folder.path, "old_code.py");
    writeFileSync(source, "X = 1\n");
    python(folder.path, "import old_code");
    writeFileSync(source, "X = 2\n");
    utimesSync(source, 1_700_000_000, 1_700_000_000);
    writeFileSync(join(folder.path, "hashed.py"), "Y = 1\n");
    python(
      "",
      `import py_compile; py_compile.compile(${JSON.stringify(join(folder.path, "hashed.py"))}, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)`,
    );
    expect(run(folder.path).changes).toEqual([]);
    expect(python(folder.path, "import old_code; assert old_code.X == 2")).toContain(
      "bytecode is stale for 'old_code'",
    );
  },
);

test("keys made at random are reported with the line that removes them", () => {
  using folder = upper();
  mkdirSync(join(folder.path, "etc/ssh"), { recursive: true });
  writeFileSync(join(folder.path, "etc/ssh/ssh_host_rsa_key"), "");
  expect(run(folder.path).reports).toMatchObject([
    { path: "etc/ssh/ssh_host_rsa_key", next: expect.stringContaining("rm -f") },
  ]);
});
