import { expect, test } from "bun:test";
import { connect } from "node:net";
import { listen } from "bun";
import { systemClock } from "#base/core/clock.ts";
import { isKind } from "#base/core/errors.ts";
import { systemRandom } from "#base/core/random.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { openTestStore, scratch } from "#images/store/testing/test-store.ts";
import { parseListenAddress } from "./listen-address.ts";
import { openRegistries } from "./registries.ts";
import { savedAddresses } from "./saved-addresses.ts";

const kindOf = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => "none",
      (error: unknown) => (isKind(error) ? error.kind : `${error}`),
    );

async function open(root?: string) {
  const here = await openTestStore(root === undefined ? {} : { root, keep: true });
  const errors: unknown[] = [];
  const registries = openRegistries({
    ...here,
    worker: new URL("../workers/registry.ts", import.meta.url),
    saved: savedAddresses(here.database),
    clock: systemClock,
    random: systemRandom,
    onError: (error) => errors.push(error),
  });
  return {
    registries,
    errors,
    async [Symbol.asyncDispose]() {
      await registries[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    },
  };
}

test("an address is a loopback host and a port", async () => {
  expect(parseListenAddress("127.0.0.1:5000")).toEqual({ hostname: "127.0.0.1", port: 5000 });
  expect(parseListenAddress("[::1]:0")).toEqual({ hostname: "::1", port: 0 });
  for (const text of ["", "5000", "127.0.0.1", "127.0.0.1:99999", "::1:5000", "127.0.0.1:5000/x", "a b:1"])
    expect([text, await kindOf(() => parseListenAddress(text))]).toEqual([
      text,
      text === "a b:1" ? "unsupported" : "invalid",
    ]);
  for (const text of ["0.0.0.0:5000", "[::]:5000", "example.com:5000", "127.0.0.1.evil.com:5000", "10.0.0.1:1"])
    expect([text, await kindOf(() => parseListenAddress(text))]).toEqual([text, "unsupported"]);
});

test("registries are served, listed and stopped; a taken address is said to be", async () => {
  await using engine = await open();
  const { address } = await engine.registries.serve({ address: "127.0.0.1:0" });
  expect(engine.registries.list()).toEqual([{ address }]);
  expect((await fetch(`http://${address}/v2/`)).status).toBe(200);
  expect(await kindOf(() => engine.registries.serve({ address }))).toBe("conflict");
  await engine.registries.stop(address);
  expect(engine.registries.list()).toEqual([]);
  expect(await kindOf(() => engine.registries.stop(address))).toBe("not-found");
  expect((await engine.registries.serve({ address })).address).toBe(address);
});

test("what was served is served again after the process, a taken address when it is free, a stopped one not", async () => {
  using folder = scratch();
  const addresses: string[] = [];
  {
    await using before = await open(folder.path);
    for (let n = 0; n < 3; n += 1) addresses.push((await before.registries.serve({ address: "127.0.0.1:0" })).address);
    await before.registries.stop(addresses[2]!);
  }
  const [free = "", taken = "", stopped = ""] = addresses;
  await using engine = await open(folder.path);
  {
    using _holder = listen({
      hostname: "127.0.0.1",
      port: Number(taken.split(":")[1]),
      socket: { data: () => undefined },
    });
    await engine.registries.resume();
    const failure = "the address is taken or not of this machine";
    const listed = [{ address: free }, { address: taken, failure }].sort((a, b) => (a.address < b.address ? -1 : 1));
    expect(engine.registries.list()).toEqual(listed);
    expect((await fetch(`http://${free}/v2/`)).status).toBe(200);
    expect(engine.errors).toHaveLength(1);
  }
  await engine.registries.resume();
  expect(engine.registries.list()).toEqual(
    [{ address: free }, { address: taken }].sort((a, b) => (a.address < b.address ? -1 : 1)),
  );
  expect((await fetch(`http://${taken}/v2/`)).status).toBe(200);
  expect(await fetch(`http://${stopped}/v2/`).catch(() => "nobody")).toBe("nobody");
  await engine.registries.stop(free);
  await engine.registries.stop(taken);
  expect(engine.registries.list()).toEqual([]);
});

/** Sends what is given and reads until the other side closes, or breaks off when told to. */
function raw(address: string, parts: readonly (string | Uint8Array)[], breakOff: boolean): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
    for (const part of parts) socket.write(part);
    if (breakOff) socket.end(() => socket.destroy());
  });
}

test("a connection that breaks in an upload keeps what came, and the upload goes on over another", async () => {
  await using engine = await open();
  const { address } = await engine.registries.serve({ address: "127.0.0.1:0" });
  const content = "0123456789".repeat(100_000);
  const begun = await fetch(`http://${address}/v2/a/blobs/uploads/`, { method: "POST" });
  const location = begun.headers.get("location")!;
  const range = async () => (await fetch(`http://${address}${location}`)).headers.get("range");
  for (const [framing, from, to] of [
    [`Content-Length: ${content.length}`, 0, 300_000],
    ["Transfer-Encoding: chunked", 300_000, 400_000],
  ] as const) {
    const head = `PATCH ${location} HTTP/1.1\r\nHost: ${address}\r\n${framing}\r\n\r\n`;
    const body = content.slice(from, to);
    await raw(address, [head, framing.startsWith("C") ? body : `493e0\r\n${body}`], true);
    // The registry hears of the break a moment later, and keeps what came.
    while ((await range()) !== `0-${to - 1}`) await new Promise(setImmediate);
  }
  const at = 400_000;
  const last = await fetch(`http://${address}${location}?digest=${digestOf(content)}`, {
    method: "PUT",
    body: content.slice(at),
  });
  expect(last.status).toBe(201);
  const read = await fetch(`http://${address}/v2/a/blobs/${digestOf(content)}`);
  expect([read.headers.get("content-length"), digestOf(await read.bytes())]).toEqual(["1000000", digestOf(content)]);
  expect(engine.errors).toEqual([]);
});

test("HEAD says the size without the bytes; what is refused early does not wait for its body", async () => {
  await using engine = await open();
  const { address } = await engine.registries.serve({ address: "127.0.0.1:0" });
  const digest = digestOf("layer");
  const url = `http://${address}/v2/a/blobs`;
  expect((await fetch(`${url}/uploads/?digest=${digest}`, { method: "POST", body: "layer" })).status).toBe(201);
  const head = await fetch(`${url}/${digest}`, { method: "HEAD" });
  expect([head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual(["5", digest]);
  const part = await fetch(`${url}/${digest}`, { headers: { Range: "bytes=1-2" } });
  expect([part.status, part.headers.get("content-length"), await part.text()]).toEqual([206, "2", "ay"]);
  const big = `PUT /v2/a/manifests/x HTTP/1.1\r\nHost: ${address}\r\nContent-Length: 1073741824\r\nConnection: close\r\n\r\n`;
  expect(await raw(address, [big, "x".repeat(1000)], false)).toStartWith("HTTP/1.1 413 ");
});
