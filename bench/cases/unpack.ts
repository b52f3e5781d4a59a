import { rmSync } from "node:fs";
import { join } from "node:path";
import { alternate } from "../alternate.ts";
import { plain, run, text } from "../command.ts";
import type { Bench, Case } from "../contract.ts";
import { withFreshFilesystem } from "../material/filesystem.ts";
import { writeLayer } from "../material/layer.ts";

const once = join(import.meta.dir, "unpack-once.ts");

/** Both read from the page cache and write to an empty file system; neither waits for the disk at the end. */
export const unpack: Case = {
  name: "unpack",
  async measure(bench) {
    const layer = writeLayer(join(bench.scratch, "layer.tar"), { files: 28_000, bytes: 500e6, noise: 0.3 });
    const packed = `${layer.path}.gz`;
    await text("gzip", "-1", "-k", "-f", layer.path);
    const rounds = Math.max(2, Math.round(bench.runs / 4));
    const speeds = (blob: string) =>
      alternate(
        rounds,
        new Map([
          ["gantry", () => speed(bench, layer.size, (folder) => unpackOnce(blob, layer.digest, folder))],
          ["GNU tar", () => speed(bench, layer.size, (folder) => gnuTar(blob, folder))],
        ]),
      );
    const plainSpeeds = await speeds(layer.path);
    const packedSpeeds = await speeds(packed);
    rmSync(layer.path);
    rmSync(packed);
    const note = "Gantry verifies SHA-256 on the way, GNU tar does not.";
    return [
      {
        work: "unpack of a plain layer, 500 MB in 28,000 files",
        unit: "MB/s",
        samples: plainSpeeds,
        bars: [{ kind: "ratio-at-least", rival: "GNU tar", value: 0.9 }],
        note,
      },
      { work: "unpack of the same layer in gzip", unit: "MB/s", samples: packedSpeeds, bars: [], note },
    ];
  },
};

async function speed(bench: Bench, bytes: number, work: (folder: string) => Promise<number>): Promise<number> {
  const milliseconds = await withFreshFilesystem(bench.undo, bench.scratch, work);
  return bytes / 1e6 / (milliseconds / 1000);
}

async function unpackOnce(blob: string, diffId: string, folder: string): Promise<number> {
  const { out } = await run(plain(process.execPath, once, blob, diffId, folder));
  return Number(out);
}

async function gnuTar(blob: string, folder: string): Promise<number> {
  return (await run(plain("tar", "-x", ...(blob.endsWith(".gz") ? ["-z"] : []), "-f", blob, "-C", folder)))
    .milliseconds;
}
