import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { type Descriptor, mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { HastyClock, startDockerRegistry } from "#images/distribution/testing/servers.ts";
import type { Store } from "#images/store/contract.ts";
import { layerTar, openTestStore, plantImage, plantLayer } from "#images/store/testing/test-store.ts";
import type { LayerProgress } from "./contract.ts";
import { type ServedRegistry, serveRegistry } from "./testing/served-registry.ts";
import { createTransfer } from "./transfer.ts";

const random = (bytes: number) => {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 65536) crypto.getRandomValues(content.subarray(at, Math.min(bytes, at + 65536)));
  return content;
};

/** Two layers, the upper one of a mebibyte that nothing compresses. */
async function plant(store: Store, name: string, label = "") {
  const base = await plantLayer(store, layerTar([{ name: "base", content: "base" }]));
  const big = await plantLayer(store, layerTar([{ name: "big", content: random(2 ** 20) }]), true);
  return { record: await plantImage(store, name, [base, big], label), base, big };
}

const kindOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: unknown) => (isKind(error) ? error.kind : `${error}`),
  );
const gets = (registry: ServedRegistry, digest: string) =>
  registry.seen.filter((line) => line.startsWith("GET") && line.endsWith(`blobs/${digest}`)).length;

test("an image is pushed and pulled: the same digest, the same files, every phase told", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { record, base, big } = await plant(from.store, name);
  const pushed: LayerProgress[] = [];
  const sent = await createTransfer(from.store).push(name, { onProgress: (progress) => pushed.push(progress) });
  expect(sent.digest).toBe(record.id);
  const phases = (list: LayerProgress[], { descriptor }: { readonly descriptor: Descriptor }) => [
    ...new Set(list.filter((item) => item.descriptor.digest === descriptor.digest).map((item) => item.phase)),
  ];
  expect(phases(pushed, big)).toEqual(["waiting", "uploading", "uploaded"]);
  expect(pushed.filter((item) => item.phase === "uploading").at(-1)?.bytes).toBeGreaterThan(0);
  const pulled: LayerProgress[] = [];
  const result = await createTransfer(to.store).pull(name, { onProgress: (progress) => pulled.push(progress) });
  expect(result.record).toMatchObject({ id: record.id, names: [name] });
  expect(result.image.record).toEqual(result.record);
  expect(result.updated).toBe(true);
  expect(phases(pulled, big)).toEqual(["waiting", "downloading", "unpacking", "done"]);
  expect(phases(pulled, base).at(-1)).toBe("done");
  const loaded = pulled.filter(
    (item) => item.phase === "downloading" && item.descriptor.digest === big.descriptor.digest,
  );
  expect(loaded.at(-1)?.bytes).toBe(big.descriptor.size);
  const layer = to.store.layers.get(result.image.chain[0]!)!;
  expect(readFileSync(join(to.root, "layers", layer.id, "fs/base"), "utf8")).toBe("base");
  expect(await to.store.check({ deep: true })).toEqual([]);
});

test("a second pull and a second push move nothing but the tag", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  await plant(from.store, name);
  const transfer = createTransfer(from.store);
  await transfer.push(name);
  registry.seen.length = 0;
  const phases = new Set<string>();
  await transfer.push(name, { onProgress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual(["here"]);
  expect(registry.seen.map((line) => line.split(" ", 1)[0])).toEqual(["HEAD", "PUT"]);
  registry.seen.length = 0;
  phases.clear();
  const again = await transfer.pull(name, { onProgress: ({ phase }) => phases.add(phase) });
  expect([again.updated, registry.seen]).toEqual([false, ["GET /v2/team/app/manifests/1"]]);
  expect([...phases]).toEqual(["here", "unpacking", "done"]);
});

test("a layer the other side has is not sent; one it has elsewhere is mounted", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  const transfer = createTransfer(from.store);
  const name = `${registry.domain}/team/app:1`;
  const { record, big } = await plant(from.store, name);
  await transfer.push(name);
  await plantImage(from.store, `${registry.domain}/team/app:2`, [big]);
  registry.seen.length = 0;
  await transfer.push(`${registry.domain}/team/app:2`);
  // Only the new config travels.
  expect(registry.seen.filter((line) => line.startsWith("PUT") && line.includes("uploads")).length).toBe(1);
  from.store.images.tag(record.id, `${registry.domain}/other/app:1`);
  registry.seen.length = 0;
  const phases = new Set<string>();
  await transfer.push(`${registry.domain}/other/app:1`, { onProgress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual(["waiting", "mounted"]);
  expect(registry.seen.some((line) => line.startsWith("PUT") && line.includes("uploads"))).toBe(false);
});

test("parallel pulls of one image fetch each blob once", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { base, big, record } = await plant(from.store, name);
  await createTransfer(from.store).push(name);
  registry.seen.length = 0;
  const transfer = createTransfer(to.store);
  const pulled = await Promise.all(Array.from({ length: 5 }, () => transfer.pull(name)));
  expect(new Set(pulled.map((item) => item.record.id))).toEqual(new Set([record.id]));
  expect([gets(registry, base.descriptor.digest), gets(registry, big.descriptor.digest)]).toEqual([1, 1]);
  expect(to.store.layers.list().length).toBe(2);
});

test("a connection that breaks again and again is taken up where it broke", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { big } = await plant(from.store, name);
  await createTransfer(from.store).push(name);
  const starts: number[] = [];
  const bytes = await from.store.blobs.read(big.descriptor.digest);
  registry.intercept = (request) => {
    if (request.method !== "GET" || !request.url.endsWith(big.descriptor.digest)) return undefined;
    const start = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    starts.push(start);
    const part = bytes.subarray(start, start + 100_000);
    return new Response(part, {
      status: start === 0 ? 200 : 206,
      headers: { "Content-Range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` },
    });
  };
  await createTransfer(to.store, new HastyClock()).pull(name);
  expect(starts).toEqual(starts.map((_, index) => index * 100_000));
  expect(starts.length).toBe(Math.ceil(bytes.length / 100_000));
  expect(await to.store.check({ deep: true })).toEqual([]);
});

test("a pull that fails changes no name and leaves what the next one goes on with", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const transfer = createTransfer(from.store);
  const name = `${registry.domain}/team/app:1`;
  const old = await plant(from.store, name, "old");
  await transfer.push(name);
  const receiving = createTransfer(to.store, new HastyClock());
  await receiving.pull(name);
  const { big, record } = await plant(from.store, name, "new");
  await transfer.push(name);
  registry.intercept = (request) =>
    request.method === "GET" && request.url.endsWith(big.descriptor.digest)
      ? new Response("gone", { status: 503 })
      : undefined;
  expect(await kindOf(receiving.pull(name))).toBe("unavailable");
  expect(to.store.images.resolve(name).id).toBe(old.record.id);
  expect(to.store.images.list().length).toBe(1);
  registry.intercept = undefined;
  expect((await receiving.pull(name)).record.id).toBe(record.id);
  expect(to.store.images.get(old.record.id)?.names).toEqual([]);
});

test("a layer that is not what its config says is refused, and nothing is named", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const layer = await plantLayer(from.store, layerTar([{ name: "a", content: "a" }]), true);
  await plantImage(from.store, name, [{ ...layer, diffId: digestOf("other") }]);
  await createTransfer(from.store).push(name);
  expect(await kindOf(createTransfer(to.store).pull(name))).toBe("corrupt");
  expect([to.store.images.list(), to.store.layers.list()]).toEqual([[], []]);
});

test("wrong bytes of a blob are refused and dropped; a damaged beginning is fetched anew", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { big } = await plant(from.store, name);
  await createTransfer(from.store).push(name);
  registry.intercept = (request) =>
    request.method === "GET" && request.url.endsWith(big.descriptor.digest)
      ? new Response(random(big.descriptor.size))
      : undefined;
  expect(await kindOf(createTransfer(to.store).pull(name))).toBe("corrupt");
  registry.intercept = undefined;
  {
    await using ingest = await to.store.blobs.ingest(`fetch ${big.descriptor.digest}`, big.descriptor);
    ingest.write(random(1000));
  }
  await createTransfer(to.store, new HastyClock()).pull(name);
  expect(gets(registry, big.descriptor.digest)).toBe(3);
});

test("a cancelled pull ends at once, is said to be, and holds nothing", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { big } = await plant(from.store, name);
  await createTransfer(from.store).push(name);
  const controller = new AbortController();
  const held = Promise.withResolvers<Response>();
  registry.intercept = (request) => {
    if (request.method !== "GET" || !request.url.endsWith(big.descriptor.digest)) return undefined;
    controller.abort();
    return held.promise;
  };
  expect(await kindOf(createTransfer(to.store).pull(name, { signal: controller.signal }))).toBe("cancelled");
  held.resolve(new Response());
  registry.intercept = undefined;
  expect(await kindOf(createTransfer(to.store).pull(name))).toBe("none");
});

async function plantIndex(store: Store, name: string, platforms: readonly string[]) {
  const manifests: Descriptor[] = [];
  for (const architecture of platforms) {
    const layer = await plantLayer(store, layerTar([{ name: architecture, content: architecture }]));
    const { target } = await plantImage(store, undefined, [layer], architecture);
    manifests.push({ ...target, platform: { os: "linux", architecture } });
  }
  const index = encodeDocument({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const { digest, size } = await store.blobs.put(index);
  return { record: store.images.put({ mediaType: mediaTypes.index, digest, size }, [name]), manifests };
}

test("an index travels whole; of one, a pull takes the platform it wants", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { record, manifests } = await plantIndex(from.store, name, ["amd64", "arm64"]);
  expect((await createTransfer(from.store).push(name)).digest).toBe(record.id);
  const transfer = createTransfer(to.store);
  const platform = { os: "linux", architecture: "arm64" };
  const pulled = await transfer.pull(name, { platform, unpack: false });
  expect(pulled.record.id).toBe(record.id);
  expect(pulled.image.descriptor.digest).toBe(manifests[1]!.digest);
  expect(to.store.blobs.has(manifests[0]!.digest)).toBe(false);
  expect(to.store.layers.list()).toEqual([]);
  const missing = transfer.pull(name, { platform: { os: "linux", architecture: "s390x" } });
  expect(await missing.catch((error: Error) => error.message)).toContain("only for linux/amd64, linux/arm64");
  // What was pulled of it can be pushed on as what it is.
  to.store.images.tag(record.id, `${registry.domain}/copy/app:1`);
  const sent = await transfer.push(`${registry.domain}/copy/app:1`);
  expect(sent.digest).toBe(manifests[1]!.digest);
});

test("an index of which some platforms are here is not pushed in part", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  await plantIndex(from.store, name, ["amd64", "arm64", "riscv64"]);
  await createTransfer(from.store).push(name);
  const transfer = createTransfer(to.store);
  for (const architecture of ["amd64", "arm64"])
    await transfer.pull(name, { platform: { os: "linux", architecture }, unpack: false });
  const message = await transfer.push(name).catch((error: Error) => error.message);
  expect(message).toContain("1 of its 3 platforms are not here");
});

test("a digest is asked of the repository it is named in, though its content is here", async () => {
  await using registry = await serveRegistry();
  await using store = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const { record } = await plant(store.store, name);
  const transfer = createTransfer(store.store);
  await transfer.push(name);
  expect(await kindOf(transfer.pull(`${registry.domain}/evil/app:1@${record.id}`))).toBe("not-found");
  expect(store.store.images.get(record.id)?.names).toEqual([name]);
  const { record: pulled } = await transfer.pull(`${registry.domain}/team/app:other@${record.id}`);
  expect(pulled.names).toContain(`${registry.domain}/team/app@${record.id}`);
});

test("layers that live elsewhere are refused, and no address of a descriptor is ever asked", async () => {
  await using registry = await serveRegistry();
  await using elsewhere = await serveRegistry();
  await using to = await openTestStore();
  const urls = [`http://${elsewhere.domain}/layer`];
  const push = async (tag: string, mediaType: string) => {
    await registry.at.pushBlob("a", "{}");
    await registry.at.pushBlob("a", "layer");
    const layers = [{ mediaType, digest: digestOf("layer"), size: 5, urls }];
    const config = { mediaType: mediaTypes.config, digest: digestOf("{}"), size: 2, urls };
    await registry.at.pushManifest("a", tag, { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers });
  };
  await push("foreign", mediaTypes.dockerForeignLayer);
  await push("own", mediaTypes.layer);
  const transfer = createTransfer(to.store);
  expect(await kindOf(transfer.pull(`${registry.domain}/a:foreign`))).toBe("unsupported");
  expect(await kindOf(transfer.pull(`${registry.domain}/a:own`))).toBe("invalid");
  expect(elsewhere.seen).toEqual([]);
});

test("names and content that are not here cannot be pushed", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  const transfer = createTransfer(from.store);
  expect(await kindOf(transfer.push(`${registry.domain}/none:1`))).toBe("not-found");
  const name = `${registry.domain}/team/app:1`;
  const { base } = await plant(from.store, name);
  from.store.blobs.delete(base.descriptor.digest);
  expect(await kindOf(transfer.push(name))).toBe("not-found");
  expect(registry.seen).toEqual([]);
});

test("docker-registry: push and pull with credentials", async () => {
  await using registry = await startDockerRegistry({ me: "secret" });
  await using from = await openTestStore();
  await using to = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const credentials = { username: "me", password: "secret" };
  const { record } = await plant(from.store, name);
  expect(await kindOf(createTransfer(from.store).push(name))).toBe("unauthenticated");
  await createTransfer(from.store).push(name, { credentials });
  expect((await createTransfer(to.store).pull(name, { credentials })).record.id).toBe(record.id);
  expect(await to.store.check({ deep: true })).toEqual([]);
});
