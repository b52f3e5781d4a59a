/**
 * An engine for the kill tests: `engine.ts <folder> <rootfs> <nth write to die at, 0: none> <script>`.
 * Says what it did, line by line, and waits to be killed.
 */
import { writeSync } from "node:fs";
import { killAtWrite, noFaults } from "#base/core/faults.ts";
import { openScene } from "./scene.ts";

const [folder = "", rootfs = "", nth = "0", script = "run"] = process.argv.slice(2);
const say = (line: string) => void writeSync(1, `${line}\n`);
const scene = openScene({
  base: { folder, rootfs, [Symbol.dispose]: () => undefined },
  faults: nth === "0" ? noFaults : killAtWrite(Number(nth), (point) => say(`write ${point}`)),
});
const { containers } = scene;
await containers.adopt();
if (script === "whole-life") {
  const id = await scene.create(["sh", "-c", "echo hello; exit 7"], { name: "one" });
  const end = containers.wait(id, "next-exit");
  await containers.start(id);
  say(`exit ${(await end).exitCode}`);
  await containers.remove(id);
  say("finished");
} else {
  for (const [name, words] of Object.entries(JSON.parse(script) as Record<string, string>)) {
    const id = await scene.create(["sh", "-c", words], { name });
    await containers.start(id);
  }
  say("started");
}
setInterval(() => undefined, 1 << 30);
