import { expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import fc from "fast-check";
import { mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { contentRange, requestedRange } from "./content-range.ts";
import { codeOf, manifestOf, openTestRegistry, type TestRegistry } from "./testing/test-registry.ts";

const layer = digestOf("layer");

async function pushImage(at: TestRegistry, repository: string, ...tags: string[]): Promise<string> {
  await at.pushBlob(repository, "{}");
  await at.pushBlob(repository, "layer");
  let digest = "";
  for (const tag of tags)
    digest = (await at.pushManifest(repository, tag, manifestOf("{}", ["layer"]))).headers.get(
      "docker-content-digest",
    )!;
  return digest;
}

test("the base answers, other pages and methods do not", async () => {
  await using at = await openTestRegistry();
  const base = await at.send("GET", "/v2/");
  expect([base.status, base.headers.get("docker-distribution-api-version")]).toEqual([200, "registry/2.0"]);
  expect((await at.send("GET", "/v2")).status).toBe(200);
  expect((await at.send("GET", "/v1/search")).status).toBe(404);
  expect((await at.send("GET", "a/tags/other")).status).toBe(404);
  expect((await at.send("GET", "a/manifests/%E0%A4%A")).status).toBe(404);
  expect((await at.send("OPTIONS", "a/manifests/x")).status).toBe(405);
  expect((await at.send("PUT", `a/blobs/${layer}`, { body: "layer" })).status).toBe(405);
});

test("names outside the grammar are refused, the longest inside it are taken", async () => {
  await using at = await openTestRegistry();
  for (const name of ["A/b", "a//b", "a/_b", "a/b%2f..%2fc", "a%00b", "a/b:c", "a@b", "-a", "a/", "x".repeat(300)]) {
    const response = await at.send("POST", `/v2/${name}/blobs/uploads/`);
    expect([name, response.status, await codeOf(response)]).toEqual([name, 400, "NAME_INVALID"]);
  }
  // The URL is resolved before anybody looks: this is repository "c".
  expect((await at.send("GET", "/v2/a/../c/tags/list")).status).toBe(404);
  for (const name of ["a", "a/b/c", "a__b/c-d.e", "blobs/uploads", "manifests/x/tags", "x".repeat(250)])
    expect([name, (await at.send("POST", `/v2/${name}/blobs/uploads/`)).status]).toEqual([name, 202]);
});

test("digests outside the grammar are refused before any path is made of them", async () => {
  await using at = await openTestRegistry();
  const bad = ["sha256:..%2f..%2fx", "sha999:00", `sha256:${"A".repeat(64)}`, "sha256:00", "sha256:", "x"];
  for (const digest of bad) {
    const response = await at.send("GET", `a/blobs/${digest}`);
    expect([digest, response.status, await codeOf(response)]).toEqual([digest, 400, "DIGEST_INVALID"]);
  }
});

test("blobs are read whole and in ranges", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "0123456789");
  const url = `a/blobs/${digestOf("0123456789")}`;
  const head = await at.send("HEAD", url);
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
  const cases: [string, number, string, string | null][] = [
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-2", 200, "0123456789", null],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ];
  for (const [range, status, body, place] of cases) {
    const response = await at.send("GET", url, { headers: { Range: range } });
    expect([range, response.status, await response.text()]).toEqual([range, status, body]);
    expect(response.headers.get("content-range")).toBe(place);
  }
  for (const range of ["bytes=10-", "bytes=-0", "bytes=99-100"]) {
    const response = await at.send("GET", url, { headers: { Range: range } });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  }
});

test("ranges are inside the blob whatever is asked", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat(1000), (text, a, b, size) => {
      for (const header of [text, `bytes=${text}`, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${a}`]) {
        const range = requestedRange(header, size);
        if (typeof range !== "object") continue;
        expect(0 <= range.start && range.start < range.end && range.end <= size).toBe(true);
      }
      const chunk = contentRange(`${a}-${b}`);
      expect(chunk).toEqual(b >= a ? { start: a, end: b + 1 } : "invalid");
      contentRange(text);
    }),
  );
});

test("a blob of another repository is not there, until it is mounted", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "layer");
  expect((await at.send("GET", `b/blobs/${layer}`)).status).toBe(404);
  expect((await at.send("HEAD", `b/blobs/${layer}`)).status).toBe(404);
  const mounted = await at.send("POST", `b/blobs/uploads/?mount=${layer}&from=a`);
  expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/b/blobs/${layer}`]);
  expect(await (await at.send("GET", `b/blobs/${layer}`)).text()).toBe("layer");
  // Deleted in one, it stays in the other.
  expect((await at.send("DELETE", `b/blobs/${layer}`)).status).toBe(202);
  expect((await at.send("GET", `b/blobs/${layer}`)).status).toBe(404);
  expect((await at.send("DELETE", `b/blobs/${layer}`)).status).toBe(404);
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(200);
});

test("a blob that images of the engine have is not in any repository", async () => {
  await using at = await openTestRegistry();
  await at.here.store.blobs.put(Buffer.from("layer"));
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(404);
  expect((await at.send("POST", `a/blobs/uploads/?mount=${layer}`)).status).toBe(202);
});

test("a mount that cannot be becomes an upload; one without a source looks for it", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "layer");
  for (const query of [
    `mount=${layer}&from=other`,
    `mount=${digestOf("none")}&from=a`,
    "mount=x&from=a",
    `mount=${layer}&from=..`,
  ])
    expect((await at.send("POST", `b/blobs/uploads/?${query}`)).status).toBe(202);
  expect((await at.send("POST", `b/blobs/uploads/?mount=${layer}`)).status).toBe(201);
});

test("access is asked for each repository and action, for a mount's source too", async () => {
  const asked: string[] = [];
  const access = {
    check: async (_: Request, repository: string | undefined, action: string) => {
      asked.push(`${action} ${repository}`);
      return repository === "secret" || action === "delete" ? new Response(null, { status: 403 }) : undefined;
    },
  };
  await using at = await openTestRegistry({ access });
  await at.pushBlob("a", "layer");
  expect((await at.send("POST", "secret/blobs/uploads/")).status).toBe(403);
  expect((await at.send("DELETE", "a/manifests/x")).status).toBe(403);
  expect((await at.send("POST", `b/blobs/uploads/?mount=${layer}&from=secret`)).status).toBe(202);
  const location = (await at.send("POST", "a/blobs/uploads/")).headers.get("location")!;
  expect((await at.send("DELETE", location)).status).toBe(204);
  await at.send("GET", "/v2/");
  await at.send("GET", "/v2/_catalog");
  await at.send("HEAD", "a/manifests/x");
  expect(asked).toEqual([
    "push a",
    "push secret",
    "delete a",
    "push b",
    "pull secret",
    "push a",
    "push a",
    "pull undefined",
    "pull undefined",
    "pull a",
  ]);
});

test("tags come sorted and in pages", async () => {
  await using at = await openTestRegistry();
  expect((await at.send("GET", "a/tags/list")).status).toBe(404);
  const tags = ["B", "a", "c", "v1", "v10", "v2"];
  await pushImage(at, "a", ...tags.toReversed());
  await pushImage(at, "ab", "other");
  expect(await (await at.send("GET", "a/tags/list")).json()).toEqual({ name: "a", tags });
  const seen: string[] = [];
  let pages = 0;
  for (let url: string | undefined = "a/tags/list?n=2"; url !== undefined; pages += 1) {
    const response: Response = await at.send("GET", url);
    seen.push(...((await response.json()) as { tags: string[] }).tags);
    url = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
  }
  expect([seen, pages]).toEqual([tags, 3]);
  const part = await (await at.send("GET", "a/tags/list?n=2&last=c")).json();
  expect(part).toEqual({ name: "a", tags: ["v1", "v10"] });
  expect(await (await at.send("GET", "a/tags/list?n=0")).json()).toEqual({ name: "a", tags: [] });
  for (const n of ["-1", "x", "99999999999", "1.5"])
    expect(((await (await at.send("GET", `a/tags/list?n=${n}`)).json()) as { tags: string[] }).tags.length).toBe(6);
});

test("the catalogue lists repositories in pages", async () => {
  await using at = await openTestRegistry();
  for (const repository of ["b", "a/x", "a"]) await pushImage(at, repository, "1");
  expect(await (await at.send("GET", "/v2/_catalog")).json()).toEqual({ repositories: ["a", "a/x", "b"] });
  const page = await at.send("GET", "/v2/_catalog?n=2");
  expect(page.headers.get("link")).toBe('</v2/_catalog?n=2&last=a%2Fx>; rel="next"');
  const next = await at.send("GET", "/v2/_catalog?n=2&last=a%2Fx");
  expect([await next.json(), next.headers.get("link")]).toEqual([{ repositories: ["b"] }, null]);
});

test("nothing pushed is collected: blobs without a manifest, manifests without a tag", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  await at.pushBlob("a", "loose");
  await at.send("DELETE", "a/manifests/1");
  await at.collect();
  await at.restart();
  await at.collect();
  for (const path of [`manifests/${digest}`, `blobs/${layer}`, `blobs/${digestOf("loose")}`])
    expect((await at.send("GET", `a/${path}`)).status).toBe(200);
});

test("what was deleted is collected, with the blobs that only it named", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  const other = await at.pushManifest("a", "2", manifestOf("{}", []));
  at.clock.time += 2 * 3600 * 1000;
  await at.send("DELETE", `a/manifests/${digest}`);
  await at.collect();
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(404);
  expect(at.here.store.blobs.has(layer)).toBe(false);
  expect((await at.send("GET", `a/blobs/${digestOf("{}")}`)).status).toBe(200);
  await at.send("DELETE", `a/manifests/${other.headers.get("docker-content-digest")}`);
  await at.collect();
  expect(at.here.store.blobs.list()).toEqual([]);
});

test("a blob that a pusher was told of stays for it, though its manifest goes meanwhile", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  at.clock.time += 2 * 3600 * 1000;
  expect((await at.send("HEAD", `a/blobs/${layer}`)).status).toBe(200);
  expect((await at.send("HEAD", `a/blobs/${digestOf("{}")}`)).status).toBe(200);
  await at.send("DELETE", `a/manifests/${digest}`);
  await at.collect();
  expect((await at.pushManifest("a", "2", manifestOf("{}", ["layer"], { annotations: { n: "2" } }))).status).toBe(201);
  at.clock.time += 2 * 3600 * 1000;
  await at.collect();
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(200);
});

test("a blob nobody came back for is gone an hour later", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  await at.send("DELETE", `a/manifests/${digest}`);
  await at.collect();
  expect((await at.send("HEAD", `a/blobs/${layer}`)).status).toBe(200);
  at.clock.time += 3600 * 1000 + 1;
  expect((await at.send("HEAD", `a/blobs/${layer}`)).status).toBe(404);
  await at.collect();
  expect(at.here.store.blobs.list()).toEqual([]);
});

test("an index keeps its manifests when it is deleted", async () => {
  await using at = await openTestRegistry();
  const digest = await pushImage(at, "a", "1");
  const child = { mediaType: mediaTypes.manifest, digest, size: 1 };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [child] };
  const put = await at.pushManifest("a", "i", index, mediaTypes.index);
  expect(put.status).toBe(201);
  expect((await at.send("HEAD", "a/manifests/i")).headers.get("content-type")).toBe(mediaTypes.index);
  at.clock.time += 2 * 3600 * 1000;
  await at.send("DELETE", `a/manifests/${put.headers.get("docker-content-digest")}`);
  await at.collect();
  expect((await at.send("GET", "a/manifests/1")).status).toBe(200);
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(200);
});

test("a damaged blob is the registry's failure, said so and reported", async () => {
  await using at = await openTestRegistry();
  await at.pushBlob("a", "layer");
  truncateSync(at.here.store.blobs.path(layer), 2);
  expect((await at.send("GET", `a/blobs/${layer}`)).status).toBe(500);
  expect(at.errors.length).toBe(1);
});
