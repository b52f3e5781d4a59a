import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { systemRandom } from "#base/core/random.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { scratch } from "#images/store/testing/test-store.ts";
import { localBytes } from "./bytes.ts";
import { RowCatalogue } from "./catalogue.ts";
import { OpenUploads } from "./open-uploads.ts";
import { codeOf, openTestRegistry, type TestRegistry } from "./testing/test-registry.ts";

const content = "0123456789".repeat(1000);
const digest = digestOf(content);
const files = ({ here }: TestRegistry) => readdirSync(join(here.root, "ingest"));
const patch = (at: TestRegistry, location: string, from: number, body: string) =>
  at.send("PATCH", location, { headers: { "Content-Range": `${from}-${from + body.length - 1}` }, body });

async function begin(at: TestRegistry, query = ""): Promise<string> {
  const response = await at.send("POST", `team/app/blobs/uploads/${query}`);
  expect(response.status).toBe(202);
  return response.headers.get("location")!;
}

async function expectBlob(at: TestRegistry, name = digest, body = content): Promise<void> {
  const response = await at.send("GET", `team/app/blobs/${name}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("docker-content-digest")).toBe(name);
  expect(await response.text()).toBe(body);
  expect(files(at)).toEqual([]);
  expect(at.errors).toEqual([]);
}

test("a blob is pushed whole with POST and PUT", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  const response = await at.send("PUT", `${location}?digest=${digest}`, { body: content });
  expect(response.status).toBe(201);
  expect(response.headers.get("location")).toBe(`/v2/team/app/blobs/${digest}`);
  await expectBlob(at);
});

test("a blob is pushed with a single POST, also without the path's last slash", async () => {
  await using at = await openTestRegistry();
  const url = `team/app/blobs/uploads?digest=${digest}`;
  expect((await at.send("POST", url, { body: content })).status).toBe(201);
  await expectBlob(at);
});

test("a single POST with the wrong digest leaves nothing", async () => {
  await using at = await openTestRegistry();
  const response = await at.send("POST", `team/app/blobs/uploads/?digest=${digest}`, { body: "other" });
  expect([response.status, await codeOf(response)]).toEqual([400, "DIGEST_INVALID"]);
  expect(files(at)).toEqual([]);
  expect((await at.send("HEAD", `team/app/blobs/${digest}`)).status).toBe(404);
});

test("chunks come in order, each over a new connection and after a restart, empty ones too", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  await at.restart();
  for (const [from, to] of [
    [0, 1],
    [1, 2500],
    [2500, 7000],
    [7000, 9000],
  ] as const) {
    const response = await patch(at, location, from, content.slice(from, to));
    expect(response.status).toBe(202);
    expect(response.headers.get("range")).toBe(`0-${to - 1}`);
    expect(response.headers.get("location")).toBe(location);
    expect((await at.send("PATCH", location)).status).toBe(202);
    await at.restart();
    const status = await at.send("GET", location);
    expect([status.status, status.headers.get("range")]).toEqual([204, `0-${to - 1}`]);
  }
  await at.restart();
  const last = { headers: { "Content-Range": "9000-9999" }, body: content.slice(9000) };
  expect((await at.send("PUT", `${location}?digest=${digest}`, last)).status).toBe(201);
  await expectBlob(at);
});

test("chunks without a range follow one another", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  for (const part of [content.slice(0, 4000), content.slice(4000)])
    expect((await at.send("PATCH", location, { body: part })).status).toBe(202);
  expect((await at.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
  await expectBlob(at);
});

test("a gap, an overlap or a range that is none is 416 and says where to go on", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  await patch(at, location, 0, content.slice(0, 100));
  for (const range of ["101-200", "99-199", "0-99", "200-100", "x-y", "1e2-2e2"]) {
    const response = await at.send("PATCH", location, { headers: { "Content-Range": range }, body: "z".repeat(101) });
    expect([range, response.status, response.headers.get("range")]).toEqual([range, 416, "0-99"]);
    expect(response.headers.get("location")).toBe(location);
  }
  const late = { headers: { "Content-Range": "5000-9999" }, body: content.slice(5000) };
  expect((await at.send("PUT", `${location}?digest=${digest}`, late)).status).toBe(416);
  expect((await at.send("PUT", `${location}?digest=${digest}`, { body: content.slice(100) })).status).toBe(201);
  await expectBlob(at);
});

test("a body shorter or longer than announced is refused, and what fits is kept", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  const range = (text: string) => ({ "Content-Range": text });
  const short = await at.send("PATCH", location, { headers: range("0-99"), body: content.slice(0, 60) });
  expect([short.status, await codeOf(short)]).toEqual([400, "SIZE_INVALID"]);
  const long = await at.send("PATCH", location, { headers: range("60-99"), body: content.slice(60, 200) });
  expect([long.status, await codeOf(long)]).toEqual([400, "SIZE_INVALID"]);
  expect((await at.send("GET", location)).headers.get("range")).toBe("0-99");
  const disagree = { headers: { "Content-Range": "100-199", "Content-Length": "50" }, body: "z".repeat(50) };
  expect((await at.send("PATCH", location, disagree)).status).toBe(416);
  const cut = await at.send("PUT", `${location}?digest=${digest}`, {
    headers: { "Content-Length": `${content.length - 100}` },
    body: content.slice(100, 5000),
  });
  expect(cut.status).toBe(400);
  expect((await at.send("PUT", `${location}?digest=${digest}`, { body: content.slice(5000) })).status).toBe(201);
  await expectBlob(at);
});

test("a wrong digest ends the upload, a malformed one does not", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  await patch(at, location, 0, content);
  for (const bad of [
    "",
    "sha256:abc",
    "sha256:../../x",
    `sha256:${"A".repeat(64)}`,
    "md5:00",
    `sha999:${"0".repeat(64)}`,
  ]) {
    const response = await at.send("PUT", `${location}?digest=${encodeURIComponent(bad)}`);
    expect([bad, response.status, await codeOf(response)]).toEqual([bad, 400, "DIGEST_INVALID"]);
  }
  const wrong = await at.send("PUT", `${location}?digest=${digestOf("other")}`);
  expect([wrong.status, await codeOf(wrong)]).toEqual([400, "DIGEST_INVALID"]);
  const again = await at.send("PUT", `${location}?digest=${digest}`);
  expect([again.status, await codeOf(again)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect(files(at)).toEqual([]);
});

test("of two PUTs one ends the upload and the other finds none", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  const both = await Promise.all([1, 2].map(() => at.send("PUT", `${location}?digest=${digest}`, { body: content })));
  expect(both.map((response) => response.status).sort()).toEqual([201, 409]);
  expect((await at.send("PUT", `${location}?digest=${digest}`, { body: content })).status).toBe(404);
  await expectBlob(at);
});

test("sha512 is served, announced or not", async () => {
  await using at = await openTestRegistry();
  const name = digestOf(content, "sha512");
  const announced = await begin(at, "?digest-algorithm=sha512");
  await patch(at, announced, 0, content);
  expect((await at.send("PUT", `${announced}?digest=${name}`)).status).toBe(201);
  const late = await begin(at);
  await patch(at, late, 0, content.slice(0, 5000));
  expect((await at.send("PUT", `${late}?digest=${name}`, { body: content.slice(5000) })).status).toBe(201);
  await expectBlob(at, name);
  expect((await at.send("POST", "team/app/blobs/uploads/?digest-algorithm=md5")).status).toBe(400);
});

test("a cancelled upload is gone with its bytes", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  await patch(at, location, 0, content);
  expect((await at.send("DELETE", location)).status).toBe(204);
  expect((await at.send("GET", location)).status).toBe(404);
  expect((await at.send("DELETE", location)).status).toBe(404);
  expect(files(at)).toEqual([]);
  await at.restart();
  expect((await at.send("GET", location)).status).toBe(404);
});

test("an upload belongs to its repository", async () => {
  await using at = await openTestRegistry();
  const location = (await begin(at)).replace("team/app", "team/other");
  expect((await at.send("PATCH", location, { body: "x" })).status).toBe(404);
  expect((await at.send("GET", "team/app/blobs/uploads/0123456789abcdef0123456789abcdef")).status).toBe(404);
  expect((await at.send("GET", "team/app/blobs/uploads/..%2f..%2fetc")).status).toBe(404);
  expect(files(at)).toEqual([]);
});

test("a sender that has gone silent makes way, one that sends does not", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  const stream = new TransformStream<Uint8Array, Uint8Array>();
  const writer = stream.writable.getWriter();
  const first = at.send("PATCH", location, { body: stream.readable });
  await writer.write(new TextEncoder().encode(content.slice(0, 100)));
  expect((await patch(at, location, 100, content.slice(100))).status).toBe(409);
  at.clock.time += 60_000;
  expect((await at.send("GET", location)).headers.get("range")).toBe("0-99");
  expect((await patch(at, location, 100, content.slice(100))).status).toBe(202);
  expect((await first).status).toBe(409);
  expect((await at.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
  await expectBlob(at);
});

test("a connection that breaks keeps what came", async () => {
  await using at = await openTestRegistry();
  const location = await begin(at);
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(content.slice(0, 300))),
    pull: (controller) => controller.error(new Error("reset")),
  });
  const response = await at.send("PUT", `${location}?digest=${digest}`, { body: broken });
  expect(response.status).toBe(400);
  expect(at.errors).toEqual([]);
  const offset = Number((await at.send("GET", location)).headers.get("range")!.slice(2)) + 1;
  expect([1, 300]).toContain(offset);
  const from = offset === 1 ? 0 : offset;
  expect((await at.send("PUT", `${location}?digest=${digest}`, { body: content.slice(from) })).status).toBe(201);
  await expectBlob(at);
});

test("what nobody went on with for a day is dropped with its bytes, also when it was begun before a restart", async () => {
  await using at = await openTestRegistry();
  const old = await begin(at);
  await patch(at, old, 0, content);
  await at.restart();
  at.clock.time += 23 * 3600 * 1000;
  const kept = await begin(at);
  await patch(at, kept, 0, "kept");
  expect(files(at).length).toBe(2);
  at.clock.time += 2 * 3600 * 1000;
  const last = await begin(at);
  while (files(at).length > 1) await new Promise(setImmediate);
  expect((await at.send("GET", old)).status).toBe(404);
  expect((await at.send("GET", kept)).headers.get("range")).toBe("0-3");
  expect((await at.send("GET", last)).status).toBe(204);
});

test("open uploads are bounded: the one asked about longest ago makes way", async () => {
  await using at = await openTestRegistry();
  const catalogue = new RowCatalogue(at.here.database, at.here.store.leases, at.clock.now);
  const { blobs } = at.here.store;
  const { now } = at.clock;
  const onError = (error: unknown) => at.errors.push(error);
  await using open = new OpenUploads({
    bytes: localBytes(blobs),
    catalogue,
    random: systemRandom,
    now,
    onError,
    limit: 100,
  });
  const first = open.begin("a", "sha256", true);
  const sent = new Request("http://registry.test", { method: "PATCH", body: "bytes" });
  await (await open.file(first)).receive(sent, undefined, new AbortController().signal, () => undefined);
  const second = open.begin("a", "sha256", true);
  open.touch(first);
  for (let n = 0; n < 99; n += 1) open.begin("a", "sha256", true);
  expect(open.size).toBe(100);
  expect(open.find("a", second.id)).toBeUndefined();
  expect(open.find("a", first.id)).toBe(first);
  for (let n = 0; n < 400; n += 1) open.begin("a", "sha256", true);
  expect(open.size).toBe(100);
  while (catalogue.uploads().length > 100 || files(at).length > 0) await new Promise(setImmediate);
  expect(at.errors).toEqual([]);
});

test("many uploads at once keep few files open", async () => {
  await using at = await openTestRegistry();
  const locations = await Promise.all(Array.from({ length: 100 }, () => begin(at)));
  await Promise.all(locations.map((location) => patch(at, location, 0, content.slice(0, 5000))));
  const descriptors = readdirSync("/proc/self/fd").length;
  expect(descriptors).toBeLessThan(90);
  const ends = await Promise.all(
    locations.map((location) => at.send("PUT", `${location}?digest=${digest}`, { body: content.slice(5000) })),
  );
  expect(ends.map((response) => response.status)).toEqual(locations.map(() => 201));
  await expectBlob(at);
});

test("an upload outlives the process: a registry on the store opened again goes on with it", async () => {
  using folder = scratch();
  let location: string;
  {
    await using at = await openTestRegistry({ root: folder.path });
    location = await begin(at);
    await patch(at, location, 0, content.slice(0, 5000));
  }
  await using at = await openTestRegistry({ root: folder.path });
  expect((await at.send("GET", location)).headers.get("range")).toBe("0-4999");
  expect((await patch(at, location, 5000, content.slice(5000))).status).toBe(202);
  expect((await at.send("PUT", `${location}?digest=${digest}`)).status).toBe(201);
  await expectBlob(at);
});
