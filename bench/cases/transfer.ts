import { rmSync } from "node:fs";
import { join } from "node:path";
import { plain, run } from "../command.ts";
import type { Case, ContenderName, Row } from "../contract.ts";
import { throwIfInterrupted } from "../interruption.ts";
import { writeLayer } from "../material/layer.ts";
import { writeLayout } from "../material/oci-layout.ts";
import { freePort, type RunningRegistry, startDockerRegistry, startGantryRegistry } from "../rivals/registries.ts";

const works = {
  skopeoPush: "push of 100 MB to the registry, by skopeo",
  gantryPull: "pull of 100 MB from the registry, by gantry (with unpacking)",
  skopeoPull: "pull of 100 MB from the registry, by skopeo (no unpacking)",
  gantryPush: "push of 100 MB to the registry, by gantry",
} as const;

/**
 * Every round makes two new images, so that no registry and no client has met the bytes before: each goes to one
 * registry by skopeo, comes back by gantry and by skopeo, and goes to the other registry by gantry.
 */
export const transfer: Case = {
  name: "transfer",
  async measure(bench) {
    const gantry = await bench.gantry();
    const registries = [
      await startGantryRegistry(bench.undo, bench.scratch, freePort()),
      await startDockerRegistry(bench.undo, bench.scratch, freePort()),
    ] as const;
    const samples = new Map<string, Map<ContenderName, number[]>>();
    const take = async (
      round: number,
      work: string,
      registry: RunningRegistry,
      time: Promise<{ milliseconds: number }>,
    ) => {
      const { milliseconds } = await time;
      if (round < 0) return;
      const row =
        samples.get(work) ??
        new Map<ContenderName, number[]>([
          ["gantry", []],
          ["docker-registry", []],
        ]);
      samples.set(work, row);
      row.get(registry.name)!.push(milliseconds);
    };
    const rounds = Math.max(2, Math.round(bench.runs / 4));
    for (let round = -1; round < rounds; round++) {
      throwIfInterrupted();
      const order = round % 2 === 0 ? [0, 1] : [1, 0];
      const place = (index: number) => join(bench.scratch, `transfer-${index}`);
      const reference = (index: number) => `${registries[index]!.address}/bench/image-${index}:${round + 1}`;
      for (const i of order) {
        const layer = writeLayer(join(bench.scratch, `transfer-${i}.tar`), { files: 100, bytes: 100e6, noise: 1 });
        writeLayout(place(i), [layer], "it");
      }
      for (const i of order) {
        const words = ["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", `oci:${place(i)}:it`];
        await take(round, works.skopeoPush, registries[i]!, run(plain(...words, `docker://${reference(i)}`)));
      }
      for (const i of order)
        await take(round, works.gantryPull, registries[i]!, run(gantry.command("pull", "-q", reference(i))));
      for (const i of order) {
        const words = [
          "skopeo",
          "copy",
          "-q",
          "--insecure-policy",
          "--src-tls-verify=false",
          `docker://${reference(i)}`,
        ];
        await take(round, works.skopeoPull, registries[i]!, run(plain(...words, `oci:${place(i)}-back:it`)));
      }
      for (const i of order) {
        const other = registries[1 - i]!;
        const name = `${other.address}/bench/crossed:${round + 1}`;
        await run(gantry.command("tag", reference(i), name));
        await take(round, works.gantryPush, other, run(gantry.command("push", "-q", name)));
        await run(gantry.command("rmi", name, reference(i)));
      }
      for (const i of order) {
        for (const path of [place(i), `${place(i)}-back`, `${place(i)}.tar`]) rmSync(path, { recursive: true });
      }
    }
    return [...samples].map(([work, row]): Row => ({ work, unit: "ms", samples: row, bars: [] }));
  },
};
