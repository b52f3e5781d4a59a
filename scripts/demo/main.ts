/**
 * The demo: real genomics software is packed, shared and run, in front of the user's eyes. Everything it prints was
 * measured in this run. `--keep` leaves the page running.
 */
import { closingTable, type StepResult } from "./closing-table.ts";
import { bold, CommandFailed, red } from "./gantry.ts";
import { base, batch, build, clear, type Outcome, serve, share, stopPage } from "./steps.ts";

const keep = process.argv.includes("--keep");
const done: StepResult[] = [];

async function step<T extends Outcome>(title: string, work: () => Promise<T>): Promise<T> {
  console.log(`\n${bold(`${done.length + 1} · ${title}`)}`);
  const began = performance.now();
  const outcome = await work();
  done.push({ title, why: outcome.why, proved: outcome.proved, seconds: (performance.now() - began) / 1000 });
  return outcome;
}

try {
  console.log("Gantry packs, shares and runs real genomics software on this machine.");
  await clear();
  await step("A base image from this machine's packages", base);
  const { digest } = await step("A box with samtools, bcftools, bwa, minimap2 and fastp", build);
  await step("Shared through a registry, by digest", () => share(digest));
  await step("Variants called in four containers side by side", batch);
  const { address } = await step("The result as a web page", serve);
  if (!keep) await stopPage();
  const [first] = done;
  console.log(
    closingTable(done, [`${first!.seconds.toFixed(1)} s for the base image, which is kept for the next time`]),
  );
  const page = keep
    ? `The page is at ${address}. Stop it with:\n     bin/gantry rm -f lambda-page`
    : "See the page, and stop it again:\n     bin/gantry run -d --name lambda-page -p 8080:8080 -v lambda-demo:/work lambda serve\n     (open http://127.0.0.1:8080/)   bin/gantry rm -f lambda-page";
  console.log(`
${bold("Three things to type next")}
  1. Change the report's title and build again; only the last layers are made anew:
     echo 'My phage' > examples/genomics/title.txt && bin/gantry build -t lambda examples/genomics
  2. ${page}
  3. Put a script of your own into a box:
     bin/gantry init examples/my-script
`);
} catch (error) {
  console.error(
    `\n${red("The demo stopped:")} ${error instanceof CommandFailed || error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
