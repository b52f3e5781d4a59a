import type { Clock } from "#base/core/clock.ts";
import type { Volumes } from "#containers/volume/contract.ts";
import type { Store } from "#images/store/contract.ts";
import type { Sizes } from "./contract.ts";

/** A size this old is told again: walking every volume for each `system df` would keep the disk busy. */
const freshFor = 10_000;

/** Sizes of what is written to, walked in Workers, once however many ask at a time. */
export function measuredSizes(store: Store, volumes: Volumes, clock: Clock): Sizes {
  const known = new Map<string, { readonly at: number; readonly bytes: Promise<number> }>();

  function measured(key: string, measure: () => Promise<number>): Promise<number> {
    const now = clock.now();
    const before = known.get(key);
    if (before !== undefined && now - before.at < freshFor) return before.bytes;
    for (const [old, { at }] of known) if (now - at >= freshFor) known.delete(old);
    const bytes = measure();
    known.set(key, { at: now, bytes });
    // What could not be measured is tried anew by the next who asks.
    bytes.catch(() => known.delete(key));
    return bytes;
  }

  return {
    volume: (name) => measured(`volume ${name}`, () => volumes.usage(name)),
    async container(id) {
      const snapshot = store.snapshots.get(id);
      if (snapshot === undefined) return { own: 0, whole: 0 };
      const own = await measured(`container ${id}`, async () => (await store.snapshots.usage(id)).bytes);
      let image = 0;
      for (let chain = snapshot.parent; chain !== undefined; ) {
        const layer = store.layers.get(chain);
        image += layer?.size ?? 0;
        chain = layer?.parent;
      }
      return { own, whole: own + image };
    },
  };
}
