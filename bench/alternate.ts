import type { ContenderName } from "./contract.ts";
import { throwIfInterrupted } from "./interruption.ts";

/**
 * Takes samples in turns, A B C A B C, so that what else the machine does meets all alike. The order is turned by one
 * each round. One round before the first is thrown away.
 */
export async function alternate(
  rounds: number,
  contenders: ReadonlyMap<ContenderName, (round: number) => Promise<number>>,
): Promise<Map<ContenderName, number[]>> {
  const samples = new Map<ContenderName, number[]>([...contenders.keys()].map((name) => [name, []]));
  const order = [...contenders];
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < order.length; i++) {
      const [name, take] = order[(i + round + order.length) % order.length]!;
      throwIfInterrupted();
      const sample = await take(round);
      if (round >= 0) samples.get(name)!.push(sample);
    }
  }
  return samples;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
