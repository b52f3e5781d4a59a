import { GantryError, isKind } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { ResolvedImage } from "#images/store/contract.ts";
import { usersOf } from "../containers-of-volume.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { summary } from "../shape/container.ts";
import { imageSummary } from "../shape/image.ts";
import { timestamp } from "../shape/time.ts";
import { volumeShape } from "../shape/volume.ts";

/** Everything that takes room. What is not asked for (`type`) is not measured. */
export function diskUsageRoutes(engine: Engine): Route[] {
  return [{ method: "GET", path: "/system/df", handle: (call) => diskUsage(engine, call) }];
}

const kinds = ["container", "image", "volume", "build-cache"] as const;

function wantedKinds(call: Call): readonly string[] {
  const asked = call.query.getAll("type");
  const unknown = asked.find((kind) => !kinds.some((known) => known === kind));
  if (unknown === undefined) return asked.length === 0 ? kinds : asked;
  throw new GantryError("invalid", {
    doing: "measure",
    on: unknown,
    because: "unknown object type",
    next: `Known are ${kinds.join(", ")}.`,
  });
}

async function diskUsage(engine: Engine, call: Call): Promise<Answer> {
  const wanted = wantedKinds(call);
  const asks = (kind: (typeof kinds)[number]) => wanted.includes(kind);
  const [images, containers, volumes] = await Promise.all([
    asks("image") ? imagesOf(engine) : undefined,
    asks("container") ? containersOf(engine) : undefined,
    asks("volume") ? volumesOf(engine) : undefined,
  ]);
  return {
    status: 200,
    json: {
      LayersSize: engine.store.usage().blobs.bytes,
      Images: images ?? null,
      Containers: containers ?? null,
      Volumes: volumes ?? null,
      BuildCache: asks("build-cache") ? buildCacheOf(engine) : null,
    },
  };
}

async function imagesOf(engine: Engine): Promise<object[]> {
  const images: ResolvedImage[] = [];
  for (const record of engine.store.images.list()) {
    try {
      images.push(await engine.store.images.open(record));
    } catch (error) {
      // Only for other platforms: it is listed by what other images say of its layers, which is nothing.
      if (!isKind(error, "not-found")) throw error;
    }
  }
  const users = new Map<string, number>();
  for (const { manifest } of images)
    for (const { digest } of manifest.layers) users.set(digest, (users.get(digest) ?? 0) + 1);
  const containers = engine.containers.list();
  return images.map((image) => {
    const shared = image.manifest.layers.filter(({ digest }) => (users.get(digest) ?? 0) > 1);
    return {
      ...imageSummary(image, containers.filter((container) => container.image === image.record.id).length),
      SharedSize: shared.reduce((sum, { size }) => sum + size, 0),
    };
  });
}

function containersOf(engine: Engine): Promise<object[]> {
  const now = Date.now();
  return Promise.all(
    engine.containers.list().map(async (record) => {
      const { own, whole } = await engine.sizes.container(record.id);
      return summary(engine.networks, record, now, { rw: own, root: whole });
    }),
  );
}

function volumesOf(engine: Engine): Promise<object[]> {
  return Promise.all(
    engine.volumes.list().map(async (volume) => ({
      ...volumeShape(volume),
      UsageData: { Size: await engine.sizes.volume(volume.name), RefCount: usersOf(engine, volume.name).length },
    })),
  );
}

function buildCacheOf(engine: Engine): object[] {
  return engine.builder.cached().map(({ key, size, used }) => ({
    ID: key.slice(7, 32),
    Type: "regular",
    Description: "a step's layer",
    InUse: false,
    Shared: false,
    Size: size,
    CreatedAt: timestamp(used),
    LastUsedAt: timestamp(used),
    UsageCount: 1,
  }));
}
