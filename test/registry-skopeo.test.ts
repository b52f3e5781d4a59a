import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";
import { layerTar, scratch } from "#images/store/testing/test-store.ts";
import { serveRegistry } from "#images/transfer/testing/served-registry.ts";

async function skopeo(...words: string[]): Promise<string> {
  const child = Bun.spawn(["skopeo", "--insecure-policy", ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`skopeo ${words.join(" ")}: ${err}`);
  return out;
}

/** What `docker save` wrote before it wrote OCI layouts too. */
function dockerArchive(path: string): void {
  const layers = ["one", "two"].map((text) => layerTar([{ name: text, content: text.repeat(50_000) }]));
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["/two"], Labels: { made: "by a test" } },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
  });
  const name = `${digestOf(config).slice(7)}.json`;
  const files = layers.map((_, index) => `${index}/layer.tar`);
  const manifest = JSON.stringify([{ Config: name, RepoTags: ["test:1"], Layers: files }]);
  const entries = [
    ...layers.map((content, index) => ({ name: files[index]!, content })),
    { name, content: config },
    { name: "manifest.json", content: manifest },
  ];
  writeFileSync(path, layerTar(entries));
}

test("skopeo pushes an archive, inspects it, copies it inside the registry and back out, all with one digest", async () => {
  using folder = scratch();
  await using registry = await serveRegistry();
  const [archive, layout] = [join(folder.path, "in.tar"), join(folder.path, "out")];
  dockerArchive(archive);
  const at = (name: string) => `docker://${registry.domain}/${name}`;
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await skopeo("copy", "--format=oci", "--dest-tls-verify=false", `docker-archive:${archive}`, at("team/app:1"));
  const inspected = JSON.parse(await skopeo("inspect", "--tls-verify=false", at("team/app:1"))) as {
    Digest: string;
    Labels: object;
    RepoTags: string[];
    Layers: string[];
  };
  expect(inspected).toMatchObject({ Labels: { made: "by a test" }, RepoTags: ["1"] });
  expect(inspected.Layers.length).toBe(2);
  registry.seen.length = 0;
  await skopeo("copy", ...plain, at("team/app:1"), at("other/app:2"));
  expect(registry.seen.some((line) => line.startsWith("POST"))).toBe(true);
  await skopeo("copy", "--src-tls-verify=false", at(`other/app@${inspected.Digest}`), `oci:${layout}:out`);
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  expect(index.manifests.map(({ digest }) => digest)).toEqual([inspected.Digest]);
  await skopeo("copy", "--src-tls-verify=false", at("other/app:2"), `oci-archive:${join(folder.path, "out.tar")}`);
  expect(existsSync(join(folder.path, "out.tar"))).toBe(true);
  const tags = JSON.parse(await skopeo("list-tags", "--tls-verify=false", at("other/app"))) as { Tags: string[] };
  expect(tags.Tags).toEqual(["2"]);
  expect(registry.at.errors).toEqual([]);
}, 60_000);

test("skopeo copies all of an index and deletes a manifest", async () => {
  using folder = scratch();
  await using registry = await serveRegistry();
  const at = (name: string) => `docker://${registry.domain}/${name}`;
  const archive = join(folder.path, "in.tar");
  dockerArchive(archive);
  await skopeo("copy", "--format=v2s2", "--dest-tls-verify=false", `docker-archive:${archive}`, at("a:1"));
  const raw = await skopeo("inspect", "--raw", "--tls-verify=false", at("a:1"));
  const manifest = { mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest: digestOf(raw) };
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...manifest, size: raw.length, platform: { os: "linux", architecture: "amd64" } }],
  };
  expect((await registry.at.pushManifest("a", "all", index, index.mediaType)).status).toBe(201);
  await skopeo("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", at("a:all"), at("b:all"));
  const copied = await skopeo("inspect", "--raw", "--tls-verify=false", at("b:all"));
  expect(digestOf(copied)).toBe(digestOf(await skopeo("inspect", "--raw", "--tls-verify=false", at("a:all"))));
  await skopeo("delete", "--tls-verify=false", at("a:1"));
  expect((await registry.at.send("GET", "a/manifests/1")).status).toBe(404);
  expect((await registry.at.send("GET", `b/manifests/${manifest.digest}`)).status).toBe(200);
  expect(registry.at.errors).toEqual([]);
}, 60_000);
