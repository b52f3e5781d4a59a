import type { Folder, Recipe } from "./contract.ts";
import { choiceNote, packagesFor, pickMain, topFiles } from "./pick.ts";

/** Commands that a minimal Debian lacks, and the package each is in. */
const commands: Readonly<Record<string, string>> = {
  samtools: "samtools",
  bcftools: "bcftools",
  bedtools: "bedtools",
  bwa: "bwa",
  minimap2: "minimap2",
  bowtie2: "bowtie2",
  fastp: "fastp",
  fastqc: "fastqc",
  seqtk: "seqtk",
  tabix: "tabix",
  bgzip: "tabix",
  blastn: "ncbi-blast+",
  blastp: "ncbi-blast+",
  muscle: "muscle",
  mafft: "mafft",
  curl: "curl",
  wget: "wget",
  jq: "jq",
  bc: "bc",
  gawk: "gawk",
  git: "git",
  make: "make",
  parallel: "parallel",
  python3: "python3",
  Rscript: "r-base-core",
  convert: "imagemagick",
  gnuplot: "gnuplot-nox",
  zip: "zip",
  unzip: "unzip",
  rsync: "rsync",
  sqlite3: "sqlite3",
  file: "file",
};

export function shellRecipe(folder: Folder): Recipe | undefined {
  const scripts = topFiles(folder).filter(
    ({ path, head }) => /\.(?:ba)?sh$/.test(path) || /^#!.*\b(?:ba|da)?sh\b/.test(head),
  );
  const main = pickMain(
    scripts,
    ["main.sh", "run.sh", "pipeline.sh", `${folder.name}.sh`, "run"],
    ({ executable }) => executable,
  );
  if (main === undefined) return undefined;
  const words = scripts.flatMap(({ head }) => commandWords(head));
  const packages = packagesFor(words, commands);
  const needsCertificates = packages.some((name) => name === "curl" || name === "wget" || name === "git");
  return {
    language: "shell",
    what: `shell script ${main.path}`,
    packages: needsCertificates ? [...packages, "ca-certificates"].sort() : packages,
    dependencies: [],
    entrypoint: [/^#!.*\bbash\b/.test(main.head) ? "bash" : "sh", `/app/${main.path}`],
    ignore: [],
    notes: choiceNote(main.path, scripts),
  };
}

/** Words that may be commands; comments are none. */
function commandWords(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, ""))
    .flatMap((line) => line.split(/[^A-Za-z0-9_+.-]+/));
}
