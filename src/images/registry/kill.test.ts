import { expect, test } from "bun:test";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { scratch } from "#images/store/testing/test-store.ts";
import { manifestOf, openTestRegistry } from "./testing/test-registry.ts";

const scenario = join(import.meta.dir, "testing/push-scenario.ts");

async function run(root: string, nth?: number): Promise<{ killed: boolean; out: string }> {
  const command = [process.execPath, scenario, root, ...(nth === undefined ? [] : [`${nth}`])];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  if (child.signalCode === null && child.exitCode !== 0) throw new Error(`${nth}: ${err}`);
  return { killed: child.signalCode === "SIGKILL", out };
}

test("killed at any write of a push or a delete, the registry serves what it names, and the push works again", async () => {
  using first = scratch();
  const writes = Number((await run(first.path)).out);
  expect(writes).toBeGreaterThan(20);
  let next = 1;
  const worker = async () => {
    for (let nth = next++; nth <= writes; nth = next++) {
      using folder = scratch();
      expect([nth, (await run(folder.path, nth)).killed]).toEqual([nth, true]);
      await using at = await openTestRegistry({ root: folder.path });
      expect([nth, await at.here.store.check({ deep: true })]).toEqual([nth, []]);
      await at.collect();
      const tagged = await at.send("GET", "a/manifests/1");
      if (tagged.status !== 404) {
        const bytes = await tagged.bytes();
        expect(tagged.headers.get("docker-content-digest")).toBe(digestOf(bytes));
        const whole = digestOf(encodeDocument(manifestOf("{}", ["layer"]))) === digestOf(bytes);
        for (const part of whole ? ["{}", "layer"] : ["{}"])
          expect([nth, part, await (await at.send("GET", `a/blobs/${digestOf(part)}`)).text()]).toEqual([
            nth,
            part,
            part,
          ]);
      }
      await at.pushBlob("a", "layer");
      await at.pushBlob("a", "{}");
      expect((await at.pushManifest("a", "1", manifestOf("{}", ["layer"]))).status).toBe(201);
      expect(at.errors).toEqual([]);
    }
  };
  await Promise.all([worker(), worker()]);
}, 60_000);
