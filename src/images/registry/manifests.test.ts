import { expect, test } from "bun:test";
import { type Digest, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { codeOf, manifestOf, openTestRegistry, type TestRegistry } from "./testing/test-registry.ts";

async function pushImage(at: TestRegistry, repository: string, tag: string, more: object = {}): Promise<Digest> {
  await at.pushBlob(repository, "{}");
  await at.pushBlob(repository, "layer");
  const response = await at.pushManifest(repository, tag, manifestOf("{}", ["layer"], more));
  expect(response.status).toBe(201);
  return response.headers.get("docker-content-digest") as Digest;
}

test("a manifest is pushed by tag and by digest, and comes back byte for byte", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a/b", "1.0");
  const bytes = Buffer.from(encodeDocument(manifestOf("{}", ["layer"])));
  expect(digest).toBe(digestOf(bytes));
  const byDigest = await at.pushManifest("a/b", digest, manifestOf("{}", ["layer"]));
  expect([byDigest.status, byDigest.headers.get("location")]).toEqual([201, `/v2/a/b/manifests/${digest}`]);
  for (const target of ["1.0", digest, digest.replace(":", "%3A")]) {
    for (const method of ["GET", "HEAD"]) {
      const response = await at.send(method, `a/b/manifests/${target}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe(mediaTypes.manifest);
      expect(response.headers.get("content-length")).toBe(`${bytes.length}`);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
      expect(Buffer.from(await response.arrayBuffer()).toString()).toBe(method === "GET" ? bytes.toString() : "");
    }
  }
});

test("a manifest under a sha512 digest is found by it", async () => {
  await using at = await openTestRegistry();
  await pushImage(at, "a", "1");
  const name = digestOf(encodeDocument(manifestOf("{}", ["layer"])), "sha512");
  expect((await at.pushManifest("a", name, manifestOf("{}", ["layer"]))).status).toBe(201);
  expect((await at.send("GET", `a/manifests/${name}`)).headers.get("docker-content-digest")).toBe(name);
});

test("a moved tag leaves the old manifest where its digest is", async () => {
  await using at = await openTestRegistry();
  const first = await pushImage(at, "a", "latest");
  const second = await pushImage(at, "a", "latest", { annotations: { n: "2" } });
  expect((await at.send("HEAD", "a/manifests/latest")).headers.get("docker-content-digest")).toBe(second);
  expect((await at.send("HEAD", `a/manifests/${first}`)).status).toBe(200);
});

test("a manifest whose parts are not in the repository is refused", async () => {
  await using at = await openTestRegistry();
  await pushImage(at, "a", "1");
  await at.pushBlob("b", "{}");
  const response = await at.pushManifest("b", "1", manifestOf("{}", ["layer"]));
  expect([response.status, await codeOf(response)]).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
  const child = { mediaType: mediaTypes.manifest, digest: digestOf("x"), size: 1 };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [child] };
  expect((await at.pushManifest("a", "i", index, mediaTypes.index)).status).toBe(404);
});

test("foreign layers need not be here", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "{}");
  const foreign = {
    mediaType: mediaTypes.dockerForeignLayer,
    digest: digestOf("far"),
    size: 3,
    urls: ["http://evil/"],
  };
  const manifest = { ...manifestOf("{}", []), layers: [foreign] };
  expect((await at.pushManifest("a", "1", manifest)).status).toBe(201);
});

test("documents that are none, or could be two, are refused", async () => {
  await using at = await openTestRegistry();
  const image = manifestOf("{}", ["layer"]);
  await pushImage(at, "a", "1");
  const put = (body: string | Uint8Array, type: string = mediaTypes.manifest, target = "x") =>
    at.send("PUT", `a/manifests/${target}`, { headers: { "Content-Type": type }, body });
  const bad = [
    put("{"),
    put(""),
    put("null"),
    put(JSON.stringify({ ...image, manifests: [] })),
    put(JSON.stringify({ ...image, layers: null })),
    put(JSON.stringify({ ...image, config: { ...image.config, digest: "sha256:../../x" } })),
    put(JSON.stringify(image), mediaTypes.index),
    put(JSON.stringify(image), "text/html"),
    put(JSON.stringify(image), mediaTypes.manifest, "-bad"),
    put(JSON.stringify(image), mediaTypes.manifest, "t".repeat(129)),
    put(JSON.stringify(image), mediaTypes.manifest, "sha256:abc"),
    put(JSON.stringify(image), mediaTypes.manifest, digestOf("other")),
  ];
  for (const response of await Promise.all(bad)) expect(response.status).toBe(400);
  expect(at.errors).toEqual([]);
});

test("a manifest over 4 MiB is 413, announced or not, and is not read on", async () => {
  await using at = await openTestRegistry();
  const headers = { "Content-Type": mediaTypes.manifest };
  const announced = { ...headers, "Content-Length": `${2 ** 30}` };
  expect((await at.send("PUT", "a/manifests/x", { headers: announced, body: "x" })).status).toBe(413);
  let given = 0;
  const endless = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        given += 65536;
        controller.enqueue(new Uint8Array(65536));
      },
    },
    { highWaterMark: 0 },
  );
  expect((await at.send("PUT", "a/manifests/x", { headers, body: endless })).status).toBe(413);
  expect(given).toBeLessThan(documentLimit + 4 * 65536);
});

test("referrers are listed by subject, filtered by type, and deleted with their manifest", async () => {
  await using at = await openTestRegistry();
  const subjectDigest = digestOf(encodeDocument(manifestOf("{}", ["layer"])));
  const subject = { mediaType: mediaTypes.manifest, digest: subjectDigest, size: 10 };
  const empty = await at.send("GET", `a/referrers/${subjectDigest}`);
  expect([empty.status, ((await empty.json()) as { manifests: [] }).manifests]).toEqual([200, []]);
  await at.pushBlob("a", "{}");
  await at.pushBlob("a", "layer");
  const sbom = manifestOf("{}", ["layer"], { subject, artifactType: "a/sbom", annotations: { k: "v" } });
  const put = await at.pushManifest("a", "sbom", sbom);
  expect([put.status, put.headers.get("oci-subject")]).toEqual([201, subjectDigest]);
  const plain = await at.pushManifest("a", digestOf(encodeDocument(manifestOf("{}", [], { subject }))), {
    ...manifestOf("{}", [], { subject }),
  });
  expect(plain.status).toBe(201);
  await pushImage(at, "a", "subject");
  const list = async (query = "") => {
    const response = await at.send("GET", `a/referrers/${subjectDigest}${query}`);
    expect(response.headers.get("content-type")).toBe(mediaTypes.index);
    const { manifests } = (await response.json()) as { manifests: { artifactType: string; annotations?: object }[] };
    return { manifests, filtered: response.headers.get("oci-filters-applied") };
  };
  const all = await list();
  expect(all.manifests.map((item) => item.artifactType).sort()).toEqual(["a/sbom", mediaTypes.config]);
  expect(all.filtered).toBeNull();
  const some = await list("?artifactType=a%2Fsbom");
  expect(some).toMatchObject({
    manifests: [{ artifactType: "a/sbom", annotations: { k: "v" } }],
    filtered: "artifactType",
  });
  await at.send("DELETE", `a/manifests/${put.headers.get("docker-content-digest")}`);
  expect((await list()).manifests.length).toBe(1);
  expect((await at.send("GET", "b/referrers/sha256:x")).status).toBe(400);
});

test("more referrers than 4 MiB hold come in pages", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "{}");
  const subject = { mediaType: mediaTypes.manifest, digest: digestOf("s"), size: 1 };
  const long = "x".repeat(600_000);
  for (let n = 0; n < 5; n += 1) {
    const manifest = manifestOf("{}", [], { subject, annotations: { long, n: `${n}` } });
    expect((await at.pushManifest("a", `t${n}`, manifest)).status).toBe(201);
  }
  const seen: string[] = [];
  for (let url: string | undefined = `a/referrers/${subject.digest}`; url !== undefined; ) {
    const response: Response = await at.send("GET", url);
    const text = await response.text();
    expect(text.length).toBeLessThan(documentLimit);
    for (const item of (JSON.parse(text) as { manifests: { annotations: { n: string } }[] }).manifests)
      seen.push(item.annotations.n);
    url = /<([^>]+)>/.exec(response.headers.get("link") ?? "")?.[1];
  }
  expect(seen.sort()).toEqual(["0", "1", "2", "3", "4"]);
});

test("deleting a tag leaves the manifest, deleting the manifest takes its tags", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  await pushImage(at, "a", "2");
  expect((await at.send("DELETE", "a/manifests/1")).status).toBe(202);
  expect((await at.send("DELETE", "a/manifests/1")).status).toBe(404);
  expect((await at.send("HEAD", `a/manifests/${digest}`)).status).toBe(200);
  expect((await at.send("DELETE", `a/manifests/${digest}`)).status).toBe(202);
  for (const target of ["2", digest]) expect((await at.send("GET", `a/manifests/${target}`)).status).toBe(404);
  expect((await at.send("DELETE", `a/manifests/${digest}`)).status).toBe(404);
});

test("a registry that does not delete answers 405 to tags, digests and blobs, and still cancels uploads", async () => {
  await using at = await openTestRegistry({ deletes: false });
  const digest = await pushImage(at, "a", "1");
  for (const path of ["a/manifests/1", `a/manifests/${digest}`, `a/blobs/${digestOf("layer")}`]) {
    const response = await at.send("DELETE", path);
    expect([response.status, await codeOf(response)]).toEqual([405, "UNSUPPORTED"]);
  }
  expect((await at.send("GET", "a/manifests/1")).status).toBe(200);
  const location = (await at.send("POST", "a/blobs/uploads/")).headers.get("location")!;
  expect((await at.send("DELETE", location)).status).toBe(204);
});

test("deleting a manifest's digest as a blob does not take the manifest", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  expect((await at.send("DELETE", `a/blobs/${digest}`)).status).toBe(404);
  await at.collect();
  expect((await at.send("GET", `a/manifests/${digest}`)).status).toBe(200);
});
