/**
 * Makes dist/gantry: the whole program in one file, Workers included. Each Worker is an extra entry point; `--root src`
 * keeps the names that src/workers/entries.ts looks them up by. A verb loads its own chunk only, already compiled to
 * bytecode (which wants `--format=esm` for the await at the top): a command starts in a fifth of the time.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const out = process.argv[2] ?? join(root, "dist/gantry");
mkdirSync(join(out, ".."), { recursive: true });

const git = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"], { cwd: root });
const commit = git.success ? git.stdout.toString().trim() : "unknown";
const build = Bun.spawnSync(
  [
    process.execPath,
    "build",
    "--compile",
    "--splitting",
    "--bytecode",
    "--format=esm",
    "--minify",
    "--sourcemap=none",
    "--root",
    "src",
    `--define=GANTRY_COMMIT=${JSON.stringify(commit)}`,
    "src/main.ts",
    "src/workers/kernel.ts",
    "src/workers/bulk.ts",
    "src/workers/attach.ts",
    "src/workers/registry.ts",
    "--outfile",
    out,
  ],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
if (!build.success) process.exit(1);
console.log(`${out} (commit ${commit})`);
