import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";
import { layerFormat } from "./contract.ts";
import { corpus } from "./format-corpus.ts";

const folder = join(import.meta.dir, "testdata/format-1");

test("format 1 writes the bytes it always wrote", () => {
  expect(layerFormat).toBe(1);
  const golden = JSON.parse(readFileSync(join(folder, "digests.json"), "utf8"));
  const made = Object.fromEntries(
    Object.entries(corpus()).map(([name, { tar, gzip }]) => [
      name,
      { tar: digestOf(tar), tarBytes: tar.length, gzip: digestOf(gzip), gzipBytes: gzip.length },
    ]),
  );
  // A difference is never to be copied into the file: released layers have these bytes. It needs a format 2.
  expect(made).toEqual(golden);
});

test("the small ones are kept whole, so that a difference can be looked at", () => {
  const all = corpus();
  for (const name of ["empty", "kinds", "pax"]) {
    const kept = readFileSync(join(folder, `${name}.tar.gz`));
    expect(Buffer.compare(Buffer.from(all[name]!.gzip), kept)).toBe(0);
  }
});
