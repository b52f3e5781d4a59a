/**
 * Measures Gantry beside docker, podman, buildah, docker-registry and GNU tar on this machine, and prints a table.
 *
 *   npm run bench -- [--only CASE]... [--runs N] [--json FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busyboxTar } from "../test/support/busybox.ts";
import { cases } from "./cases/all.ts";
import type { Bench, Builder, Report, Row } from "./contract.ts";
import { interrupt, isInterrupted } from "./interruption.ts";
import { machineFacts, withLoadAfter } from "./machine.ts";
import { startDocker } from "./rivals/docker.ts";
import { startGantry } from "./rivals/gantry.ts";
import { installRivals } from "./rivals/install.ts";
import { startPodman } from "./rivals/podman.ts";
import { table } from "./table.ts";
import { UndoStack } from "./undo.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    runs: { type: "string", default: "15" },
    json: { type: "string" },
  },
});
const chosen = cases.filter(({ name }) => options.only?.includes(name) ?? true);
const runs = Number(options.runs);
if (chosen.length !== (options.only?.length ?? cases.length) || !Number.isInteger(runs) || runs < 1) {
  console.error(`bench: --only takes ${cases.map(({ name }) => name).join(", ")}; --runs takes a number above 0.`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error("bench: the rivals' daemons need root. Run it as root.");
  process.exit(2);
}

const undo = new UndoStack();
let code = 0;
const patience = 40_000;
for (const [signal, number] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => {
    if (isInterrupted()) return;
    code = number;
    say("stopping; removing what was made");
    interrupt();
    // The step at hand ends first, so that nothing is made while it is removed; one that hangs is not waited for.
    setTimeout(() => void undo.close().then(() => process.exit(code)), patience).unref();
  });
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}

function memoised<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function prepare(): Promise<Bench> {
  await installRivals(say);
  const scratch = mkdtempSync(join(tmpdir(), "gantry-bench-"));
  undo.add("the bench's folder", () => rmSync(scratch, { recursive: true, force: true }));
  const rootfs = join(scratch, "busybox.tar");
  writeFileSync(rootfs, await busyboxTar());
  const gantry = memoised(() => startGantry(undo, scratch));
  const docker = memoised(() => startDocker(undo, scratch, rootfs));
  const podman = memoised(() => startPodman(undo, scratch, rootfs));
  const builders = async (): Promise<Builder[]> => {
    const engines = [await gantry(), await docker()];
    const own = engines.map((engine) => ({
      name: engine.name,
      build: (folder: string, tag: string, cold: boolean) =>
        engine.command("build", "-q", "--network", "none", ...(cold ? ["--no-cache"] : []), "-t", tag, folder),
    }));
    return [...own, (await podman()).buildah];
  };
  return { runs, scratch, gantry, docker, podman: async () => (await podman()).engine, builders, undo, say };
}

async function measure(): Promise<Report> {
  const bench = await prepare();
  const facts = await machineFacts();
  const rows: Row[] = [];
  const failures: { name: string; because: string }[] = [];
  for (const one of chosen) {
    if (isInterrupted()) break;
    say(one.name);
    try {
      rows.push(...(await one.measure(bench)));
    } catch (error) {
      if (isInterrupted()) break;
      failures.push({ name: one.name, because: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    }
  }
  return { machine: withLoadAfter(facts), rows, failures };
}

try {
  const report = await measure();
  if (!isInterrupted()) {
    console.log(table(report));
    if (options.json !== undefined) {
      const plain = {
        ...report,
        rows: report.rows.map((row) => ({ ...row, samples: Object.fromEntries(row.samples) })),
      };
      writeFileSync(options.json, `${JSON.stringify(plain, null, 2)}\n`);
    }
  }
} finally {
  await undo.close();
}
if (isInterrupted()) process.exit(code);
