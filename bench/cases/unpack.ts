import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alternate } from "../alternate.ts";
import { plain, run, text } from "../command.ts";
import type { Case } from "../contract.ts";
import { type FreshFilesystem, withFreshFilesystem } from "../material/filesystem.ts";
import { writeLayer } from "../material/layer.ts";
import { openNamespaces } from "../rivals/namespace.ts";

const once = fileURLToPath(new URL("./unpack-once.ts", import.meta.url));

/** Both read from the page cache and write to an empty file system; neither waits for the disk at the end. */
export const unpack: Case = {
  name: "unpack",
  async measure(bench) {
    const layer = writeLayer(join(bench.scratch, "layer.tar"), { files: 28_000, bytes: 500e6, noise: 0.3 });
    const packed = `${layer.path}.gz`;
    await text("gzip", "-1", "-k", "-f", layer.path);
    const { enter, close } = await openNamespaces(bench.undo);
    const speed = async (work: (fresh: FreshFilesystem) => Promise<number>) =>
      layer.size / 1e6 / ((await withFreshFilesystem(enter, bench.scratch, work)) / 1000);
    const rounds = Math.max(2, Math.round(bench.runs / 4));
    const speeds = (blob: string) =>
      alternate(
        rounds,
        new Map([
          ["gantry", () => speed((fresh) => unpackOnce(blob, layer.digest, fresh))],
          ["GNU tar", () => speed((fresh) => gnuTar(blob, fresh))],
        ]),
      );
    const plainSpeeds = await speeds(layer.path);
    const packedSpeeds = await speeds(packed);
    await close();
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

async function unpackOnce(blob: string, diffId: string, { enter, folder }: FreshFilesystem): Promise<number> {
  return Number((await run(plain(...enter, process.execPath, once, blob, diffId, folder))).out);
}

async function gnuTar(blob: string, { enter, folder }: FreshFilesystem): Promise<number> {
  const unpacking = blob.endsWith(".gz") ? ["-z"] : [];
  return (await run(plain(...enter, "tar", "-x", ...unpacking, "-f", blob, "-C", folder))).milliseconds;
}
