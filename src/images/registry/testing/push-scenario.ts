/** `push-scenario.ts ROOT [N]`: a push in chunks and a delete, dying at the write with that number. Prints the writes. */
import { systemClock } from "#base/core/clock.ts";
import { killAtWrite, noFaults } from "#base/core/faults.ts";
import { systemRandom } from "#base/core/random.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { openTestStore } from "#images/store/testing/test-store.ts";
import { createRegistry } from "../registry.ts";
import { manifestOf } from "./test-registry.ts";

const [root, nth] = process.argv.slice(2);
let count = 0;
const kill = nth === undefined ? noFaults : killAtWrite(Number(nth));
const faults = {
  at(point: string) {
    count += 1;
    kill.at(point);
  },
};
{
  await using here = await openTestStore({ root: root!, faults, keep: true });
  const { store, database } = here;
  const onError = (error: unknown) => {
    throw error;
  };
  await using registry = createRegistry({ store, database, clock: systemClock, random: systemRandom, onError });
  const send = async (
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ) => {
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const response = await registry.fetch(new Request(new URL(path, "http://test/v2/").href, init as RequestInit));
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const location = (await send("POST", "a/blobs/uploads/")).headers.get("location")!;
  await send("PATCH", location, "la");
  await send("PATCH", location, "yer");
  await send("PUT", `${location}?digest=${digestOf("layer")}`);
  await send("POST", `a/blobs/uploads/?digest=${digestOf("{}")}`, "{}");
  const type = { "Content-Type": mediaTypes.manifest };
  const first = await send("PUT", "a/manifests/1", encodeDocument(manifestOf("{}", ["layer"])), type);
  await send("PUT", "a/manifests/1", encodeDocument(manifestOf("{}", [])), type);
  await send("DELETE", `a/manifests/${first.headers.get("docker-content-digest")}`);
}
process.stdout.write(`${count}\n`);
process.exit(0);
