/**
 * Everything the store writes, once, dying at the write whose number is given: `kill-scenario.ts ROOT N`. Without N it
 * runs to its end. Prints how many writes it passed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Faults, killAtWrite, noFaults } from "#base/core/faults.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { gzip, layerTar, openTestStore, plantImage, plantLayer } from "./test-store.ts";

const [root, nth] = process.argv.slice(2);
let count = 0;
const kill = nth === undefined ? noFaults : killAtWrite(Number(nth));
const faults: Faults = {
  at(point) {
    count += 1;
    kill.at(point);
  },
};

await using here = await openTestStore({ root: root!, faults, keep: true });
const { blobs, images, layers, snapshots, leases } = here.store;

const tar = layerTar([
  { name: "d/", type: "directory" },
  { name: "d/file", content: "content ".repeat(100) },
  { name: "d/hard", type: "hardlink", linkName: "d/file" },
]);
const packed = gzip(tar);
const base = {
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest: digestOf(packed),
  size: packed.length,
};
await blobs.fetch(base, async (offset) => ({
  offset,
  stream: (async function* () {
    for (let at = offset; at < packed.length; at += 100) yield packed.subarray(at, at + 100);
  })(),
}));
const second = await plantLayer(here.store, layerTar([{ name: ".wh.d" }, { name: "e", content: "e" }]));
const image = await plantImage(here.store, "kill:1", [{ descriptor: base, diffId: digestOf(tar) }, second]);
images.tag(image.id, "kill:2");
images.untag("kill:1");
const top = await layers.ensure(await images.open(image));

snapshots.remove("step");
const snapshot = snapshots.prepare("step", top);
mkdirSync(join(snapshot.upper, "new"));
writeFileSync(join(snapshot.upper, "new/file"), "written by a step");
const written = await snapshots.write(snapshot, { layerTime: 1_000_000_000 });
snapshots.commit(snapshot, written);
leases.pin("cache", { blob: written.digest });
leases.unpin("cache");
snapshots.remove("container");
snapshots.prepare("container", top);
const loose = await plantLayer(here.store, layerTar([{ name: "loose", content: "loose" }]));
await layers.unpack(loose.descriptor, loose.diffId, undefined);
await here.store.collect({ grace: -1000 });
images.remove(image.id);
snapshots.remove("container");
await here.store.collect({ grace: -1000 });
await here.store.check();
process.stdout.write(`${count}\n`);
