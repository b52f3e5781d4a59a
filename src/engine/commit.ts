import type { Clock } from "#base/core/clock.ts";
import { draftOf, encodeConfig, encodeManifest, withHistory } from "#build/image-draft.ts";
import type { ContainerRecord, Containers } from "#containers/lifecycle/contract.ts";
import type { Descriptor } from "#formats/oci/contract.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { applyChanges } from "#images/archive/changes.ts";
import type { ImageRecord, Lease, Store } from "#images/store/contract.ts";
import type { CommitRequest } from "./contract.ts";

/** What every start makes anew: mount points, and the files with the container's names in them. */
const ownPlaces = ["etc/resolv.conf", "etc/hostname", "etc/hosts", "dev", "proc", "sys"];

export interface CommitParts {
  readonly store: Store;
  readonly containers: Containers;
  readonly clock: Clock;
}

/** What a container changed, as one more layer over its image. */
export async function commitContainer(parts: CommitParts, request: CommitRequest): Promise<ImageRecord> {
  const { containers } = parts;
  const record = containers.get(request.container);
  const freeze = request.pause && record.state.status === "running";
  if (freeze) await containers.pause(record.id);
  try {
    return await write(parts, record, request);
  } finally {
    if (freeze) await containers.unpause(record.id);
  }
}

async function write(
  { store, clock }: CommitParts,
  record: ContainerRecord,
  request: CommitRequest,
): Promise<ImageRecord> {
  using lease = store.leases.begin(`commit ${record.id}`);
  const base = store.images.resolve(record.image);
  lease.add({ image: base.id });
  const image = await store.images.open(base, record.platform);
  const layerTime = Math.floor(clock.now() / 1000);
  const layer = await layerOf(store, record, layerTime, lease);
  const draft = draftOf({ config: image.config, layers: image.manifest.layers, chain: image.chain });
  const created = new Date(layerTime * 1000).toISOString().replace(".000Z", "Z");
  const { author = "", comment = "" } = request;
  const told = withHistory(
    {
      ...draft,
      config: applyChanges(request.config, request.changes),
      ...(author === "" ? {} : { author }),
      layers: layer === undefined ? draft.layers : [...draft.layers, layer],
    },
    {
      created,
      created_by: record.config.process.args.join(" "),
      ...(author === "" ? {} : { author }),
      ...(comment === "" ? {} : { comment }),
      ...(layer === undefined ? { empty_layer: true } : {}),
    },
  );
  const { os, architecture, variant } = image.config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const config = await put(store, encodeConfig(told, platform, layerTime), mediaTypes.config, lease);
  const manifest = await put(store, encodeManifest(config, told.layers), mediaTypes.manifest, lease);
  return store.images.put(manifest, request.name === undefined ? [] : [request.name]);
}

async function layerOf(store: Store, record: ContainerRecord, layerTime: number, lease: Lease) {
  const snapshot = store.snapshots.get(record.id);
  if (snapshot === undefined) return undefined;
  const targets = (record.config.mounts ?? []).map((mount) => mount.target.replace(/^\//, ""));
  const written = await store.snapshots.write(snapshot, { layerTime, leaveOut: [...ownPlaces, ...targets] });
  lease.add({ blob: written.digest });
  if (written.entries === 0) return undefined;
  const { mediaType, digest, size, diffId } = written;
  return { descriptor: { mediaType, digest, size }, diffId };
}

async function put(store: Store, bytes: Uint8Array, mediaType: string, lease: Lease): Promise<Descriptor> {
  const { digest, size } = await store.blobs.put(bytes);
  lease.add({ blob: digest });
  return { mediaType, digest, size };
}
