/**
 * The one gate: static checks, unit tests beside the code, black-box tests, and a look for leftovers.
 * `--static` runs only the first. The last line is "N passed, N failed".
 */
import { join } from "node:path";
import { leftovers } from "./leftovers.ts";

const root = join(import.meta.dir, "..");
const bun = process.execPath;
const only = process.argv.includes("--static") ? "static" : "all";

let passed = 0;
let failed = 0;

function note(ok: boolean, label: string, seconds: number, detail = ""): void {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? "ok  " : "FAIL"} ${label} (${seconds.toFixed(1)} s)${detail}`);
}

async function check(label: string, command: string[]): Promise<void> {
  const start = performance.now();
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  note(code === 0, label, (performance.now() - start) / 1000);
  if (code !== 0) console.log(out + err);
}

/** Runs one `bun test` process and adds its counts; output is shown as it comes. */
async function suite(label: string, args: string[]): Promise<void> {
  const start = performance.now();
  const child = Bun.spawn([bun, "test", ...args], { cwd: root, stdout: "inherit", stderr: "pipe" });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of child.stderr) {
    const part = decoder.decode(chunk, { stream: true });
    text += part;
    process.stdout.write(part);
  }
  const code = await child.exited;
  const count = (word: string) => Number([...text.matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, "gm"))].at(-1)?.[1] ?? 0);
  passed += count("pass");
  failed += count("fail");
  if (code !== 0 && count("fail") === 0) failed += 1;
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${label} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
}

/** A process each: tests of namespaces and descriptors change the process they run in. */
const unitGroups = [
  ["src/base"],
  ["src/formats"],
  ["src/images/store", "src/images/archive"],
  ["src/images/distribution", "src/images/registry", "src/images/transfer"],
  ["src/containers/network"],
  ["src/containers/runtime", "src/containers/lifecycle"],
  ["src/build"],
  ["src/engine", "src/services", "src/client", "src/tools", "src/cli", "scripts"],
];

const before = await leftovers();
await check("types", [join(root, "node_modules/.bin/tsc")]);
await check("format and lint", [join(root, "node_modules/.bin/biome"), "check", "--error-on-warnings", "."]);
await check("import direction", [bun, "scripts/imports/check.ts"]);
await check("dead code", [bun, join(root, "node_modules/knip/bin/knip.js"), "--no-progress"]);
if (only === "all") {
  for (const rooms of unitGroups) await suite(`unit tests of ${rooms.join(", ")}`, [...rooms, "--timeout", "30000"]);
  // "./": a bare "test" would match every path with that word in it.
  await suite("black-box tests", ["./test/", "--timeout", "120000"]);
  const left = (await leftovers()).filter((item) => !before.includes(item));
  note(left.length === 0, "no leftovers", 0, left.map((item) => `\n  ${item}`).join(""));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
