/** A process of its own: puts a layer's blob into a new store in a folder, then times its unpacking and prints it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "#base/system/database/database.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { parseDigest } from "#formats/oci/digest.ts";
import { openStore } from "#images/store/open-store.ts";
import { workerEntries } from "#workers/entries.ts";
import { text } from "../command.ts";

const [blob, diffId, root] = process.argv.slice(2) as [string, string, string];
using database = openDatabase(join(root, "gantry.db"));
await using bulk = openWorkerPool({ name: "bulk", entry: workerEntries.bulk, size: 2 });
await using store = await openStore({ root, database, bulk });
const { digest, size } = await store.blobs.put(readFileSync(blob));
await text("sync", "-f", root);
const kind = blob.endsWith(".gz") ? "tar+gzip" : "tar";
const descriptor = { mediaType: `application/vnd.oci.image.layer.v1.${kind}`, digest, size };
const began = performance.now();
await store.layers.unpack(descriptor, parseDigest(diffId), undefined);
process.stdout.write(`${performance.now() - began}\n`);
