import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepResult } from "./closing-table.ts";
import { ask, askWith, bold, root, show, start } from "./gantry.ts";

const genomics = join(root, "examples/genomics");
const image = "lambda";
const volume = "lambda-demo";
const page = "lambda-page";
const regions = [1, 2, 3, 4];

export type Outcome = Omit<StepResult, "title" | "seconds">;

/** Runs left over from an earlier, broken-off demo. */
export async function clear(): Promise<void> {
  const names = [page, "lambda-index", "lambda-merge", ...regions.map((region) => `lambda-call-${region}`)];
  await ask("rm", "-f", ...names);
  await ask("volume", "rm", "-f", volume);
}

export async function base(): Promise<Outcome> {
  await show("bootstrap", "debian:bookworm");
  const digest = await ask("inspect", "--format", "{{.Id}}", "debian:bookworm");
  return {
    why: "Every image begins with another; this one is made from this machine's own Debian packages, so no public hub is needed.",
    proved: `debian:bookworm is ${digest}: a fixed date in, the same bits out, and no package source's name in it.`,
  };
}

export async function build(): Promise<Outcome & { digest: string }> {
  await show("build", "-t", image, genomics);
  const first = await ask("inspect", "--format", "{{.Id}}", image);
  console.log("\nThe same again, every step anew:");
  await show("build", "--no-cache", "-t", image, genomics);
  const second = await ask("inspect", "--format", "{{.Id}}", image);
  if (first !== second) throw new Error(`two builds of the same inputs differ: ${first} and ${second}`);
  const tools = (
    await ask("run", "--rm", image, "sh", "-c", "samtools --version | head -1; bcftools --version | head -1")
  )
    .split("\n")
    .join(", ");
  return {
    digest: first,
    why: "A box that is built again next year, or by somebody else, must be the same box: then a result can be trusted.",
    proved: `Built twice, without cache the second time: both are ${first} (${tools}).`,
  };
}

export async function share(digest: string): Promise<Outcome> {
  const data = mkdtempSync(join(tmpdir(), "gantry-demo-registry-"));
  const registry = start("registry", "serve", "--address", "127.0.0.1:0", "--data", data);
  try {
    const address = await firstMatch(registry.stdout, /at (\S+:\d+)/);
    const remote = `${address}/demo/${image}`;
    await show("tag", image, `${remote}:1`);
    await show("push", `${remote}:1`);
    await show("rmi", `${remote}:1`, image);
    const gone = await ask("images", "-q", image);
    if (gone !== "") throw new Error("the image is still here after rmi");
    await show("pull", `${remote}@${digest}`);
    const back = await ask("inspect", "--format", "{{.Id}}", `${remote}@${digest}`);
    if (back !== digest) throw new Error(`the image came back as ${back}`);
    await show("tag", `${remote}@${digest}`, image);
    await ask("rmi", `${remote}@${digest}`);
    const elsewhere = await pullElsewhere(`${remote}@${digest}`);
    return {
      why: "A registry is how a box travels; a digest in a paper names exactly one box for ever.",
      proved:
        "Pushed to Gantry's own registry, removed here, pulled back by digest (layers that the build cache still held were not sent again). " +
        `A second engine with nothing on its disk pulled all ${elsewhere.size} by that digest, checked every byte, and ran ${elsewhere.said}.`,
    };
  } finally {
    registry.kill("SIGTERM");
    await registry.exited;
    rmSync(data, { recursive: true, force: true });
  }
}

/** What a colleague's machine would do: an engine of its own, an empty data root, the digest from the paper. */
async function pullElsewhere(reference: string): Promise<{ size: string; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-demo-elsewhere-"));
  const env = { GANTRY_DATA_ROOT: join(folder, "data"), GANTRY_RUN_ROOT: join(folder, "run") };
  console.log("\nThe same on a second engine with an empty disk:");
  try {
    await askWith(env, "pull", "-q", reference);
    const size = await askWith(env, "images", "--format", "{{.Size}}");
    const said = (await askWith(env, "run", "--rm", reference, "samtools", "--version")).split("\n")[0]!;
    console.log(`  ${size} pulled, ${said} runs`);
    return { size, said };
  } finally {
    await askWith(env, "engine", "uninstall", "--data");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstMatch(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`the program ended before it printed ${pattern}: ${text}`);
}

const mounted = ["-v", `${volume}:/work`];
const pipe = (...words: string[]) => ask("run", "--rm", ...mounted, image, ...words);

/** Four containers at once, one for each region, then the merge; gives the merged list's body. */
async function callAll(): Promise<{ body: string; seconds: number }> {
  const began = performance.now();
  const said = await Promise.all(
    regions.map(async (region) => {
      const text = await ask("run", "--rm", "--name", `lambda-call-${region}`, ...mounted, image, "call", `${region}`);
      console.log(`  region ${region}: ${text}`);
      return text;
    }),
  );
  if (said.length !== regions.length) throw new Error("a region is missing");
  await pipe("merge");
  const body = await pipe("grep", "-v", "^#", "/work/variants.vcf");
  return { body, seconds: (performance.now() - began) / 1000 };
}

interface Variant {
  readonly key: string;
}

/** Position, alleles, quality and genotype of every line: what must not depend on the splitting. */
function variants(body: string): Variant[] {
  return body.split("\n").map((line) => {
    const [chromosome, position, , reference, alternative, quality, , , , sample] = line.split("\t");
    return { key: [chromosome, position, reference, alternative, quality, sample?.split(":")[0]].join(" ") };
  });
}

export async function batch(): Promise<Outcome> {
  await ask("volume", "create", volume);
  console.log("Aligning the reads to the genome:");
  console.log(`  ${await pipe("index")}`);
  console.log(`Calling variants in ${regions.length} containers side by side:`);
  const first = await callAll();
  console.log("Once more, to see whether the result stays the same:");
  const second = await callAll();
  if (first.body !== second.body) throw new Error("the merged list differs from run to run");
  await pipe("unsplit");
  const unsplit = variants(await pipe("grep", "-v", "^#", "/work/unsplit.vcf"));
  const merged = variants(first.body);
  const same =
    merged.length === unsplit.length && merged.every((variant, index) => variant.key === unsplit[index]!.key);
  if (!same) throw new Error(`the merged list (${merged.length}) is not that of the unsplit run (${unsplit.length})`);
  const mapped = /(\d+\.\d+)%/.exec(
    await pipe("sh", "-c", "samtools flagstat /work/aligned.bam | grep 'primary mapped'"),
  )?.[1];
  const depth = (await pipe("sh", "-c", "samtools coverage -H /work/aligned.bam")).split("\t")[6];
  const hash = createHash("sha256").update(first.body).digest("hex").slice(0, 12);
  return {
    why: "Big analyses are cut into pieces that run side by side; the pieces must add up to the same answer, every time.",
    proved:
      `${regions.length} containers, then a merge: ${merged.length} variants, the same positions, alleles, qualities and genotypes as in one piece; ` +
      `${mapped} % of reads mapped, mean depth ${Number(depth).toFixed(1)}. Run twice, the list's bytes are the same (sha256 ${hash}…).`,
  };
}

export async function serve(): Promise<Outcome & { address: string }> {
  await pipe("report");
  await show("run", "-d", "--name", page, "-p", "8080", ...mounted, image, "serve");
  const bound = (await ask("port", page, "8080")).split("\n")[0]!;
  const address = `http://${bound}/`;
  const text = await fetchWhenReady(address);
  const title = /<title>([^<]*)<\/title>/.exec(text)?.[1];
  if (title === undefined || !text.includes("<svg")) throw new Error("the page holds no report");
  console.log(`The report is at ${bold(address)}`);
  return {
    address,
    why: "Results are for people: the same box that computed them shows them, on an address only this machine can reach.",
    proved: `"${title}" fetched from ${address}: ${text.length} bytes with a coverage plot and the table of variants. The reads are simulated ones of a real genome, and the page says so.`,
  };
}

/** The server may need a moment to listen; a refused connection is the only thing worth waiting for. */
async function fetchWhenReady(address: string): Promise<string> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`the page answers ${response.status}`);
      return await response.text();
    } catch (error) {
      const code = (error as { code?: string }).code;
      if ((code !== "ConnectionRefused" && code !== "ECONNRESET") || performance.now() > until) throw error;
      await Bun.sleep(50);
    }
  }
}

export async function stopPage(): Promise<void> {
  await ask("rm", "-f", page);
}
