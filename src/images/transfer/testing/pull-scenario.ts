/** `pull-scenario.ts ROOT REFERENCE [N]`: pulls, dying at the write with that number. Prints how many writes it passed. */
import { killAtWrite, noFaults } from "#base/core/faults.ts";
import { openTestStore } from "#images/store/testing/test-store.ts";
import { createTransfer } from "../transfer.ts";

const [root, reference, nth] = process.argv.slice(2);
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
  await createTransfer(here.store).pull(reference!);
}
process.stdout.write(`${count}\n`);
process.exit(0);
