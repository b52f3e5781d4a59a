import { expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import { documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import type { BlobStream } from "./contract.ts";
import { fastClock, HastyClock, repositoryAt, type Seen, serve } from "./testing/servers.ts";

const content = "0123456789".repeat(100);
const digest = digestOf(content);
const layer = { mediaType: mediaTypes.layer, digest, size: content.length };
const config = { mediaType: mediaTypes.config, digest: digestOf("{}"), size: 2 };
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] });
const typed = (type: string) => ({ headers: { "Content-Type": type } });

async function kindOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return isKind(error) ? error.kind : `${error}`;
  }
}

async function read({ stream }: BlobStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );

test("a manifest is resolved by tag and by digest, always at the named repository", async () => {
  await using server = serve(() => new Response(manifest, typed(`${mediaTypes.manifest}; charset=utf-8`)));
  const repository = repositoryAt(server.domain);
  const name = digestOf(manifest);
  const wanted = { mediaType: mediaTypes.manifest, digest: name, size: manifest.length };
  expect((await repository.resolve("v1")).descriptor).toEqual(wanted);
  expect((await repository.resolve(name)).descriptor).toEqual(wanted);
  const long = await repository.resolve(digestOf(manifest, "sha512"));
  expect(long.descriptor.digest).toBe(digestOf(manifest, "sha512"));
  expect(server.seen.map(({ path }) => path)).toEqual([
    "/v2/team/app/manifests/v1",
    `/v2/team/app/manifests/${name}`,
    `/v2/team/app/manifests/${digestOf(manifest, "sha512")}`,
  ]);
});

test("documents that are not what they are said to be are refused", async () => {
  const other = digestOf("other");
  const cases: [() => Response, string, string][] = [
    [() => new Response(manifest, typed("text/html")), "v1", "unsupported"],
    [() => new Response(manifest, { headers: {} }), "v1", "unsupported"],
    [() => new Response(manifest, typed(mediaTypes.index)), "v1", "invalid"],
    [() => new Response("{", typed(mediaTypes.manifest)), "v1", "invalid"],
    [() => new Response("null", typed(mediaTypes.manifest)), "v1", "invalid"],
    [
      () => new Response(JSON.stringify({ ...JSON.parse(manifest), manifests: [] }), typed(mediaTypes.manifest)),
      "v1",
      "invalid",
    ],
    [() => new Response(manifest, typed(mediaTypes.manifest)), other, "corrupt"],
    [
      () =>
        new Response(manifest, { headers: { "Content-Type": mediaTypes.manifest, "Docker-Content-Digest": other } }),
      "v1",
      "corrupt",
    ],
    [() => new Response("x".repeat(documentLimit + 1), typed(mediaTypes.manifest)), "v1", "invalid"],
    [() => Response.json({ errors: [{ code: "MANIFEST_UNKNOWN" }] }, { status: 404 }), "v1", "not-found"],
    [() => new Response("<html>", { status: 403 }), "v1", "denied"],
  ];
  for (const [answer, target, kind] of cases) {
    await using server = serve(answer);
    expect([kind, await kindOf(repositoryAt(server.domain).resolve(target))]).toEqual([kind, kind]);
  }
});

test("an endless manifest is not read past its limit", async () => {
  let given = 0;
  await using server = serve(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            given += 65536;
            controller.enqueue(new Uint8Array(65536).fill(32));
          },
        }),
        typed(mediaTypes.manifest),
      ),
  );
  expect(await kindOf(repositoryAt(server.domain).resolve("v1"))).toBe("invalid");
  expect(given).toBeLessThan(documentLimit * 4);
});

test("the registry's words are said, and no control character with them", async () => {
  const words = "\u001b[31mno such tag\u0007";
  await using server = serve(() => Response.json({ errors: [{ code: "X", message: words }] }, { status: 404 }));
  const message = await messageOf(repositoryAt(server.domain).resolve("v1"));
  expect(message).toBe(
    `Cannot read the manifest "${server.domain}/team/app:v1": the registry answers 404 ( [31mno such tag )`,
  );
});

test("429 and 503 are tried again when the registry says so, at its pace", async () => {
  const answers = [
    new Response("slow down", { status: 429, headers: { "Retry-After": "7" } }),
    new Response(null, { status: 503 }),
    new Response(null, { status: 502 }),
    new Response(manifest, typed(mediaTypes.manifest)),
  ];
  await using server = serve(() => answers.shift()!);
  const clock = new HastyClock();
  expect(await kindOf(repositoryAt(server.domain, { clock }).resolve("v1"))).toBe("none");
  expect(clock.pauses).toEqual([7000, 400, 1600]);
});

test("a registry that stays busy, or asks for a long wait, is given up with the time it named", async () => {
  await using busy = serve(() => new Response(null, { status: 503 }));
  expect(await kindOf(repositoryAt(busy.domain, { clock: new HastyClock() }).ping())).toBe("unavailable");
  expect(busy.seen.length).toBe(4);
  await using long = serve(() => new Response(null, { status: 429, headers: { "Retry-After": "3600" } }));
  const message = await messageOf(repositoryAt(long.domain, { clock: new HastyClock() }).ping());
  expect(message).toContain("Try again in 3600 seconds.");
  expect(long.seen.length).toBe(1);
});

test("nobody there, or a host that is not known, is said at once", async () => {
  const gone = serve(() => new Response());
  const { domain } = gone;
  await gone[Symbol.asyncDispose]();
  expect(await messageOf(repositoryAt(domain).ping())).toBe(
    `Cannot log in at "${domain}": http://${domain} cannot be reached: nothing listens there. ` +
      "Check the name, the network, and that the registry runs.",
  );
  expect(await messageOf(repositoryAt("registry.invalid").ping())).toContain("the host is not known");
});

test("a registry that accepts and then says nothing is given up, before and in the middle of an answer", async () => {
  const silent = Promise.withResolvers<Response>();
  await using mute = serve(() => silent.promise);
  expect(await messageOf(repositoryAt(mute.domain, { clock: fastClock }).ping())).toContain("silent for too long");
  silent.resolve(new Response());
  const halted = () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(content.slice(0, 100))) }),
      { headers: { "Content-Length": `${content.length}` } },
    );
  await using halting = serve(halted);
  const blob = await repositoryAt(halting.domain, { clock: fastClock }).openBlob(layer, 0);
  expect(await messageOf(read(blob))).toContain("silent for too long");
});

test("an abort ends a request at once", async () => {
  const silent = Promise.withResolvers<Response>();
  const controller = new AbortController();
  await using server = serve(() => {
    controller.abort(new Error("enough"));
    return silent.promise;
  });
  expect(await messageOf(repositoryAt(server.domain).ping(controller.signal))).toBe("enough");
  silent.resolve(new Response());
});

test("redirects are followed to other hosts, but not for ever, nor to what is no web address", async () => {
  await using other = serve(() => new Response(content));
  await using server = serve(() => Response.redirect(`http://${other.domain}/elsewhere`, 302));
  expect(await read(await repositoryAt(server.domain).openBlob(layer, 0))).toBe(content);
  await using circle = serve(({ path }) => Response.redirect(path, 307));
  expect(await kindOf(repositoryAt(circle.domain).openBlob(layer, 0))).toBe("denied");
  expect(circle.seen.length).toBe(6);
  await using file = serve(() => new Response(null, { status: 302, headers: { Location: "file:///etc/passwd" } }));
  expect(await kindOf(repositoryAt(file.domain).openBlob(layer, 0))).toBe("denied");
  await using upload = serve(() => new Response(null, { status: 302, headers: { Location: "/elsewhere" } }));
  expect(await kindOf(repositoryAt(upload.domain).putManifest("v1", "x/y", Buffer.from("{}")))).toBe("denied");
});

const ranged = ({ range }: Seen) => {
  const start = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
  const headers = { "Content-Range": `bytes ${start}-${content.length - 1}/${content.length}` };
  return range === null ? new Response(content) : new Response(content.slice(start), { status: 206, headers });
};

test("a blob goes on from an offset, or begins anew where the registry knows no ranges", async () => {
  await using server = serve(ranged);
  const rest = await repositoryAt(server.domain).openBlob(layer, 600);
  expect([rest.offset, await read(rest)]).toEqual([600, content.slice(600)]);
  await using ignorant = serve(() => new Response(content));
  const whole = await repositoryAt(ignorant.domain).openBlob(layer, 600);
  expect([whole.offset, await read(whole)]).toEqual([0, content]);
  await using refusing = serve(({ range }) => new Response(content, { status: range === null ? 200 : 416 }));
  const again = await repositoryAt(refusing.domain).openBlob(layer, 600);
  expect([again.offset, await read(again)]).toEqual([0, content]);
  const headers = { "Content-Range": `bytes 512-999/1000` };
  await using rounding = serve(() => new Response(content.slice(512), { status: 206, headers }));
  expect((await repositoryAt(rounding.domain).openBlob(layer, 600)).offset).toBe(512);
});

test("a blob that ends too early is a broken connection, not a short layer", async () => {
  await using server = serve(() => new Response(content.slice(0, 700)));
  const message = await messageOf(repositoryAt(server.domain).openBlob(layer, 0).then(read));
  expect(message).toContain("the connection ended after 700 of 1000 bytes");
});

test("bytes stay as they are though the server names a coding", async () => {
  const packed = Bun.gzipSync(Buffer.from(content));
  const descriptor = { ...layer, digest: digestOf(packed), size: packed.length };
  await using server = serve((_, request) => {
    expect(request.headers.get("accept-encoding")).toBe("identity");
    return new Response(packed, { headers: { "Content-Encoding": "gzip" } });
  });
  const { stream } = await repositoryAt(server.domain).openBlob(descriptor, 0);
  let size = 0;
  for await (const chunk of stream) size += chunk.length;
  expect(size).toBe(packed.length);
});

test("an upload that breaks is begun anew at a new place, from its first byte", async () => {
  let posts = 0;
  await using server = serve(({ method }) => {
    if (method === "POST") {
      posts += 1;
      return new Response(null, { status: 202, headers: { Location: `/v2/team/app/blobs/uploads/${posts}` } });
    }
    return new Response(null, { status: posts < 3 ? 500 : 201 });
  });
  const repository = repositoryAt(server.domain, { actions: ["pull", "push"], clock: new HastyClock() });
  const told: number[] = [];
  const onProgress = (bytes: number) => told.push(bytes);
  await repository.putBlob(layer, () => new Response(content).body!, { onProgress });
  const puts = server.seen.filter(({ method }) => method === "PUT");
  expect(puts.map(({ path, body }) => [path.at(-1), body === content])).toEqual([
    ["1", true],
    ["2", true],
    ["3", true],
  ]);
  expect(told.at(-1)).toBe(content.length);
});

test("an upload without a place, or that the registry refuses, fails in words", async () => {
  const put = (domain: string) => repositoryAt(domain).putBlob(layer, () => new Response(content).body!);
  await using nowhere = serve(() => new Response(null, { status: 202 }));
  expect(await kindOf(put(nowhere.domain))).toBe("corrupt");
  await using odd = serve(() => new Response(null, { status: 202, headers: { Location: "ftp://x/" } }));
  expect(await kindOf(put(odd.domain))).toBe("denied");
  await using full = serve(({ method }) =>
    method === "POST"
      ? new Response(null, { status: 202, headers: { Location: "/up" } })
      : new Response(null, { status: 413 }),
  );
  expect(await kindOf(put(full.domain))).toBe("exhausted");
});

test("a registry that keeps other bytes of a manifest is caught", async () => {
  const headers = { "Docker-Content-Digest": digestOf("other") };
  await using server = serve(() => new Response(null, { status: 201, headers }));
  const put = repositoryAt(server.domain).putManifest("v1", mediaTypes.manifest, Buffer.from(manifest));
  expect(await kindOf(put)).toBe("corrupt");
});

test("a mount that is not taken ends the upload it became", async () => {
  await using server = serve(({ method, query }) =>
    method === "DELETE"
      ? new Response(null, { status: 204 })
      : new Response(null, { status: query.get("from") === "good" ? 201 : 202, headers: { Location: "/up/1" } }),
  );
  const repository = repositoryAt(server.domain);
  expect(await repository.mountBlob(digest, "good")).toBe(true);
  expect(await repository.mountBlob(digest, "bad")).toBe(false);
  expect(server.seen.at(-1)).toMatchObject({ method: "DELETE", path: "/up/1" });
});

test("tags are read page by page, from the registry itself and to an end", async () => {
  await using server = serve(({ query }) =>
    query.get("last") === null
      ? Response.json({ tags: ["a", "b"] }, { headers: { Link: '</v2/team/app/tags/list?last=b>; rel="next"' } })
      : Response.json({ tags: ["c"] }),
  );
  expect(await repositoryAt(server.domain).tags()).toEqual(["a", "b", "c"]);
  await using away = serve(() => Response.json({ tags: null }, { headers: { Link: "<http://192.0.2.1/>; rel=next" } }));
  expect(await repositoryAt(away.domain).tags()).toEqual([]);
  await using same = serve(({ path, query }) =>
    Response.json({ tags: ["x"] }, { headers: { Link: `<${path}?${query}>; rel="next"` } }),
  );
  expect(await repositoryAt(same.domain).tags()).toEqual(["x"]);
  for (const body of ["<html>", "null", '{"tags":5}', '{"tags":[5]}']) {
    await using odd = serve(() => new Response(body));
    expect([body, await kindOf(repositoryAt(odd.domain).tags())]).toEqual([body, "invalid"]);
  }
});
