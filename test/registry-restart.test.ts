import { expect, test } from "bun:test";
import { listen } from "bun";
import { digestOf } from "#formats/oci/digest.ts";
import { startEngine } from "./support/engine.ts";

const content = "bytes of a layer, ".repeat(100_000);

test("a registry of an engine that was killed is there again, with what was pushed and what was half pushed", async () => {
  await using engine = await startEngine();
  const [address, other] = ["127.0.0.1:5597", "127.0.0.1:5596"];
  for (const each of [address, other]) await engine.ok("registry", "serve", "--address", each);
  await engine.ok("tag", "busybox", `${address}/box:1`);
  await engine.ok("push", `${address}/box:1`);
  const begun = await fetch(`http://${address}/v2/half/blobs/uploads/`, { method: "POST" });
  const location = begun.headers.get("location")!;
  await fetch(`http://${address}${location}`, { method: "PATCH", body: content.slice(0, 500_000) });
  const served = async () => JSON.parse(await engine.ok("registry", "ls", "--json")) as unknown;

  process.kill(await engine.pid(), "SIGKILL");
  {
    // The other's port is somebody else's meanwhile: said, and no harm to the rest.
    using _holder = await held(other);
    expect(await served()).toEqual([
      { address: other, failure: "the address is taken or not of this machine" },
      { address },
    ]);
    expect(await engine.ok("registry", "ls")).toContain("taken");
  }
  expect(await served()).toEqual([{ address: other }, { address }]);
  expect((await fetch(`http://${other}/v2/`)).status).toBe(200);

  await engine.ok("rmi", "-f", `${address}/box:1`);
  await engine.ok("pull", `${address}/box:1`);
  const last = await fetch(`http://${address}${location}?digest=${digestOf(content)}`, {
    method: "PUT",
    headers: { "Content-Range": `500000-${content.length - 1}` },
    body: content.slice(500_000),
  });
  expect(last.status).toBe(201);
  const read = await fetch(`http://${address}/v2/half/blobs/${digestOf(content)}`);
  expect(digestOf(await read.bytes())).toBe(digestOf(content));

  await engine.ok("registry", "stop", other);
  process.kill(await engine.pid(), "SIGKILL");
  expect(await served()).toEqual([{ address }]);
  expect(await engine.ok("check", "--json")).toBe('{"findings":[],"remaining":[]}');
});

/** Holds the address, as soon as the dead engine's socket is gone. */
async function held(address: string) {
  const [hostname = "", port] = address.split(":");
  for (;;) {
    try {
      return listen({ hostname, port: Number(port), socket: { data: () => undefined } });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await new Promise(setImmediate);
    }
  }
}
