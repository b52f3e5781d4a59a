import { describe, expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import type { Instruction } from "#formats/dockerfile/contract.ts";
import { parseIgnore } from "#formats/dockerfile/ignore.ts";
import { parseDockerfile } from "#formats/dockerfile/parse.ts";
import type { FolderFile } from "./contract.ts";
import { initFolder } from "./init.ts";

function folder(name: string, files: Readonly<Record<string, string>>) {
  const list: FolderFile[] = Object.entries(files).map(([path, head]) => ({
    path,
    head,
    executable: head.startsWith("#!"),
  }));
  return initFolder({ name, files: list });
}

function last(dockerfile: string): Instruction | undefined {
  return parseDockerfile(dockerfile, "Dockerfile").stages.at(-1)?.instructions.at(-1);
}

describe("each language gets a Dockerfile that is read without an error and explains itself", () => {
  const folders: readonly (readonly [string, Readonly<Record<string, string>>, string, readonly string[]])[] = [
    [
      "python",
      { "count.py": "import csv, numpy as np\nfrom Bio import SeqIO\n", "data.csv": "a\n" },
      "python3-biopython python3-numpy",
      ["python3", "/app/count.py"],
    ],
    [
      "python",
      { "a.py": "", "main.py": "", "requirements.txt": "x==1\n" },
      "python3-venv",
      ["python3", "/app/main.py"],
    ],
    [
      "r",
      { "plot.R": "library(ggplot2)\nstats::lm\nrequire('Rare.Thing')\n" },
      "r-cran-ggplot2",
      ["Rscript", "/app/plot.R"],
    ],
    [
      "node",
      { "package.json": '{"scripts":{"start":"node src/x.mjs"},"dependencies":{"a":"1"}}', "package-lock.json": "{}" },
      "npm",
      ["node", "/app/src/x.mjs"],
    ],
    ["node", { "index.js": "console.log(1)" }, "nodejs", ["node", "/app/index.js"]],
    [
      "c",
      { Makefile: "CC=gcc\nPROG = sim\nall: $(PROG)\n", "sim.c": "#include <math.h>\n" },
      "make",
      ["/usr/local/bin/sim"],
    ],
    ["c", { "a.c": "#include <zlib.h>\n", "sub/b.c": "" }, "zlib1g-dev", ["/usr/local/bin/tool"]],
    ["c", { "CMakeLists.txt": "add_executable(fast main.cpp)", "main.cpp": "" }, "cmake", ["/usr/local/bin/fast"]],
    ["shell", { "go.sh": "#!/bin/bash\nsamtools view x | jq . # curl\n" }, "jq samtools", ["bash", "/app/go.sh"]],
  ];
  for (const [language, files, packages, words] of folders) {
    test(`${language}: ${Object.keys(files).join(", ")}`, () => {
      const made = folder("tool", files);
      expect(made.language).toBe(language as typeof made.language);
      expect(made.dockerfile).toContain(packages);
      expect(last(made.dockerfile)).toMatchObject({ kind: "ENTRYPOINT", command: { form: "exec", words } });
      expect(made.dockerfile.split("\n").filter((line) => line.startsWith("#")).length).toBeGreaterThan(5);
      expect(parseIgnore(made.dockerignore).ignores(".git/config")).toBe(true);
      expect(Object.keys(files).some((path) => parseIgnore(made.dockerignore).ignores(path))).toBe(false);
    });
  }
});

test("the whole of a small Python folder's Dockerfile", () => {
  expect(folder("My Script", { "words.py": "import csv\n" }).dockerfile).toMatchInlineSnapshot(`
    "# A box for the Python script words.py.
    #
    #   gantry build -t my-script .                          makes the image
    #   gantry run --rm my-script                            runs it; words after the name go to the program
    #   gantry run --rm -v "$PWD":/data -w /data my-script   runs it on the files of this folder

    FROM debian:bookworm

    # What the program needs, from Debian.
    RUN apt-get update \\
     && apt-get install -y --no-install-recommends python3 \\
     && rm -rf /var/lib/apt/lists/*

    WORKDIR /app

    # The folder itself; .dockerignore says what stays out.
    COPY . .

    # What runs. It is a list, so that the program itself gets the signals and stops at once.
    ENTRYPOINT ["python3", "/app/words.py"]
    "
  `);
});

test("the image's name is one that references allow", () => {
  expect(folder("My Script (2)", { "a.sh": "" }).imageName).toBe("my-script-2");
  expect(folder("___", { "a.sh": "" }).imageName).toBe("my-image");
});

test("of several scripts one is chosen and the others are named", () => {
  const made = folder("x", { "a.py": "", "b.py": "if __name__ == '__main__':\n", "test_b.py": "" });
  expect(made.what).toBe("Python script b.py");
  expect(made.notes.join(" ")).toContain("change the last line if it should be another (a.py)");
});

test("a folder of nothing known is refused with the next step", () => {
  try {
    folder("empty", { "photo.jpg": "" });
    throw new Error("it was accepted");
  } catch (error) {
    expect(isKind(error, "not-found")).toBe(true);
    expect((error as Error).message).toContain("Run gantry init in the folder that holds your script.");
  }
});
