import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, documentLimit } from "#formats/oci/contract.ts";
import { childrenOf, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { parseReference } from "#formats/oci/reference.ts";
import type { Repository } from "#images/distribution/contract.ts";
import type { Store } from "#images/store/contract.ts";
import type { PushOptions } from "./contract.ts";
import type { OpenRepository } from "./pull.ts";

/** Depth first: a manifest is sent when all it points to is there (distribution-spec, "Pushing manifests"). */
export async function push(
  store: Store,
  open: OpenRepository,
  text: string,
  options: PushOptions,
): Promise<Descriptor> {
  const reference = parseReference(text);
  const record = store.images.resolve(text);
  using lease = store.leases.begin(`push ${text}`);
  lease.add({ image: record.id });
  const repository = open({
    reference,
    actions: ["pull", "push"],
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  await sendDocument(store, repository, record.target, reference.digest ?? reference.tag ?? "latest", options);
  return record.target;
}

async function sendDocument(
  store: Store,
  repository: Repository,
  descriptor: Descriptor,
  target: string,
  options: PushOptions,
): Promise<void> {
  const bytes = await store.blobs.read(descriptor.digest, documentLimit);
  const document = parseDocument(bytes, { mediaType: descriptor.mediaType });
  const children = childrenOf(document);
  const present = document.kind === "index" ? await withContent(store, children) : children;
  if (present.length === 0 && children.length > 0) {
    throw new GantryError("not-found", {
      doing: "push the image",
      on: target,
      because: "none of its manifests is here whole",
    });
  }
  if (present.length < children.length) {
    throw new GantryError("not-found", {
      doing: "push the image",
      on: target,
      because: `${children.length - present.length} of its ${children.length} platforms are not here`,
      next: "Pull the other platforms first, or push one platform under a name of its own.",
    });
  }
  for (const child of present) {
    options.signal?.throwIfAborted();
    if (isManifestType(child.mediaType) || isIndexType(child.mediaType)) {
      if (!(await repository.hasManifest(child.digest, options.signal)))
        await sendDocument(store, repository, child, child.digest, options);
    } else await sendBlob(store, repository, child, options);
  }
  await repository.putManifest(target, descriptor.mediaType, bytes, options.signal);
}

async function withContent(store: Store, children: readonly Descriptor[]): Promise<Descriptor[]> {
  return children.filter((child) => store.blobs.has(child.digest));
}

async function sendBlob(
  store: Store,
  repository: Repository,
  descriptor: Descriptor,
  options: PushOptions,
): Promise<void> {
  const say = options.onProgress ?? (() => undefined);
  if (await repository.hasBlob(descriptor.digest, options.signal)) {
    say({ descriptor, phase: "here" });
    return;
  }
  say({ descriptor, phase: "uploading", bytes: 0 });
  await repository.putBlob(descriptor, () => store.blobs.open(descriptor.digest), {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: (bytes) => say({ descriptor, phase: "uploading", bytes }),
  });
  say({ descriptor, phase: "uploaded" });
}
