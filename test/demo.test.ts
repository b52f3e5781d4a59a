import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./support/engine.ts";

test("the demo runs to its closing table and proves what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-demo-test-"));
  const env = {
    PATH: process.env.PATH ?? "",
    // The base image's tar is cached in the user's own folder, outside the tree.
    HOME: process.env.HOME ?? "/root",
    GANTRY_DATA_ROOT: join(folder, "data"),
    GANTRY_RUN_ROOT: join(folder, "run"),
  };
  try {
    const { code, out, err } = await run([process.execPath, "scripts/demo/main.ts"], env);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("86 variants");
    expect(out).toContain("97.60 % of");
    expect(out).toContain("mean depth 43.5");
    expect(out).toContain("the same positions, alleles, qualities and genotypes");
    expect(out).toContain("Three things to type next");
    expect(out.match(/^✓ \d\./gm)).toHaveLength(5);
  } finally {
    const gone = await run([join(import.meta.dir, "../bin/gantry"), "engine", "uninstall", "--data"], env);
    expect(gone.code).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
