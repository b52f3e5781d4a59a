import { afterAll, beforeAll, expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { type DockerRegistry, repositoryAt, startDockerRegistry } from "./testing/servers.ts";

const content = Buffer.from("layer bytes ".repeat(100_000));
const layer = { mediaType: mediaTypes.layer, digest: digestOf(content), size: content.length };
const config = { mediaType: mediaTypes.config, digest: digestOf("{}"), size: 2 };
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }),
);
const credentials = { username: "me", password: "pässword" };
const bytes = (content: Uint8Array | string) => () => new Response(content as string).body!;
let registry: DockerRegistry;

beforeAll(async () => {
  registry = await startDockerRegistry({ me: credentials.password });
});
afterAll(() => registry[Symbol.asyncDispose]());

test("docker-registry: push, look, mount, list and pull with basic credentials", async () => {
  const repository = repositoryAt(registry.domain, { credentials, actions: ["pull", "push"] });
  await repository.ping();
  expect(await repository.hasBlob(layer.digest)).toBe(false);
  await repository.putBlob(layer, bytes(content));
  await repository.putBlob(config, bytes("{}"));
  expect(await repository.hasBlob(layer.digest)).toBe(true);
  expect(await repository.hasManifest(digestOf(manifest))).toBe(false);
  await repository.putManifest("v1", mediaTypes.manifest, manifest);
  await repository.putManifest("v2", mediaTypes.manifest, manifest);
  expect(await repository.hasManifest(digestOf(manifest))).toBe(true);
  expect(await repository.tags()).toEqual(["v1", "v2"]);
  const resolved = await repository.resolve("v1");
  expect(resolved.descriptor).toEqual({
    mediaType: mediaTypes.manifest,
    digest: digestOf(manifest),
    size: manifest.length,
  });
  const rest = await repository.openBlob(layer, 1_000_000);
  expect(rest.offset).toBe(1_000_000);
  const chunks: Uint8Array[] = [];
  for await (const chunk of rest.stream) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(content.subarray(1_000_000))).toBe(true);
  expect(await repository.mountBlob(digestOf("nothing"), "team/app")).toBe(false);
  expect(await repository.mountBlob(layer.digest, "team/app")).toBe(true);
});

test("docker-registry: wrong bytes, missing names and missing credentials are what they are", async () => {
  const kindOf = (work: Promise<unknown>) =>
    work.then(
      () => "none",
      (error: unknown) => isKind(error) && error.kind,
    );
  const repository = repositoryAt(registry.domain, { credentials, actions: ["pull", "push"] });
  const other = { ...layer, digest: digestOf("other") };
  expect(await kindOf(repository.putBlob(other, bytes(content)))).toBe("invalid");
  expect(await kindOf(repository.resolve("none"))).toBe("not-found");
  expect(await kindOf(repository.openBlob(other, 0))).toBe("not-found");
  expect(await kindOf(repositoryAt(registry.domain).resolve("v1"))).toBe("unauthenticated");
  const wrong = { username: "me", password: "wrong" };
  expect(await kindOf(repositoryAt(registry.domain, { credentials: wrong }).ping())).toBe("unauthenticated");
});
