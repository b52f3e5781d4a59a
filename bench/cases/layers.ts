import { readFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxTar } from "../../test/support/busybox.ts";
import { alternate } from "../alternate.ts";
import { run, text } from "../command.ts";
import type { ApiEngine, Case } from "../contract.ts";
import { type LayerFile, writeLayer } from "../material/layer.ts";
import { writeLayout } from "../material/oci-layout.ts";
import { mountsOf } from "../processes.ts";

const few = 1;
const many = 50;

export const layers: Case = {
  name: "layers",
  async measure(bench) {
    const gantry = await bench.gantry();
    for (const count of [few, many]) await load(gantry, bench.scratch, count);
    const name = (count: number) => `layers-${count}`;
    const counted = async (count: number) => ["gantry", [await mountsFor(gantry, name(count))]] as const;
    const [mountsOfFew, mountsOfMany] = [(await counted(few))[1][0]!, (await counted(many))[1][0]!];
    const time = await alternate(
      bench.runs,
      new Map(
        [few, many].map((count) => [
          count === many ? "gantry" : "gantry, 1 layer",
          async () => (await run(gantry.command("run", "--rm", "--network", "none", name(count), "true"))).milliseconds,
        ]),
      ),
    );
    return [
      {
        work: "mounts one start adds to engine and container, image of 50 layers",
        unit: "mounts",
        samples: new Map([
          ["gantry", [mountsOfMany]],
          ["gantry, 1 layer", [mountsOfFew]],
        ]),
        bars: [{ kind: "ratio-at-most", rival: "gantry, 1 layer", value: 1 }],
      },
      { work: "run --rm --network none true, image of 50 layers", unit: "ms", samples: time, bars: [] },
    ];
  },
};

async function mountsFor(engine: ApiEngine, image: string): Promise<number> {
  const [pid] = await engine.processes();
  const before = mountsOf(pid!);
  const container = await engine.api.createContainer({ Image: image, Cmd: ["sleep", "1000"] });
  await container.start();
  const { State } = await container.inspect();
  const added = mountsOf(pid!) - before + mountsOf(State.Pid);
  await container.remove({ force: true });
  return added;
}

async function load(engine: ApiEngine, scratch: string, count: number): Promise<void> {
  const folder = join(scratch, `layout-${count}`);
  const base = join(scratch, `base-${count}.tar`);
  await Bun.write(base, await busyboxTar());
  const bytes = readFileSync(base);
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
  const stack: LayerFile[] = [{ path: base, digest, size: bytes.length }];
  for (let i = 1; i < count; i++) {
    stack.push(writeLayer(join(scratch, `small-${i}.tar`), { files: 3, bytes: 3000, noise: 1 }));
  }
  writeLayout(folder, stack, `layers-${count}`);
  await text("tar", "-C", folder, "-cf", `${folder}.tar`, ".");
  await run(engine.command("load", "-q", "-i", `${folder}.tar`));
}
