import type { Folder, Recipe } from "./contract.ts";
import { find, topFiles } from "./pick.ts";

/** Headers that need a library to link with, and the packages that hold both. */
const libraries: readonly {
  readonly header: RegExp;
  readonly link: string;
  readonly build: string;
  readonly run: string;
}[] = [
  { header: /<math\.h>|<tgmath\.h>|<cmath>/, link: "-lm", build: "", run: "" },
  { header: /<pthread\.h>|<thread>/, link: "-pthread", build: "", run: "" },
  { header: /<zlib\.h>/, link: "-lz", build: "zlib1g-dev", run: "zlib1g" },
  { header: /<htslib\//, link: "-lhts", build: "libhts-dev", run: "libhts3" },
  { header: /<curl\/curl\.h>/, link: "-lcurl", build: "libcurl4-openssl-dev", run: "libcurl4" },
  { header: /<fftw3\.h>/, link: "-lfftw3", build: "libfftw3-dev", run: "libfftw3-double3" },
  { header: /<gsl\//, link: "-lgsl -lgslcblas", build: "libgsl-dev", run: "libgsl27" },
  { header: /<omp\.h>/, link: "-fopenmp", build: "", run: "libgomp1" },
];

export function cRecipe(folder: Folder): Recipe | undefined {
  const sources = folder.files.filter(({ path }) => /\.(?:c|cc|cpp|cxx)$/.test(path));
  if (sources.length === 0) return undefined;
  const isCpp = sources.some(({ path }) => !path.endsWith(".c"));
  const used = libraries.filter(({ header }) => sources.some(({ head }) => header.test(head)));
  const compilers = [isCpp ? "g++" : "gcc", "libc6-dev", ...used.map(({ build }) => build)];
  const runtime = [isCpp ? "libstdc++6" : "", ...used.map(({ run }) => run)];
  const common = {
    language: "c",
    what: `${isCpp ? "C++" : "C"} program of ${sources.length === 1 ? sources[0]!.path : `${sources.length} files`}`,
    packages: runtime.filter((name) => name !== "").sort(),
    dependencies: [],
    ignore: ["*.o", "*.a", "*.so", "build/", "compile_commands.json"],
  } as const;
  const packages = (extra: readonly string[]) => [...compilers, ...extra].filter((name) => name !== "");
  const makefile = topFiles(folder).find(({ path }) => /^(?:GNU)?[Mm]akefile$/.test(path));
  const cmake = find(folder, "CMakeLists.txt");
  if (cmake !== undefined) {
    const name = /add_executable\s*\(\s*([\w.+-]+)/i.exec(cmake.head)?.[1] ?? imageFriendly(folder.name);
    const run = "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build";
    return finished(common, { packages: packages(["cmake", "make"]), run, copy: `/src/build/${name}` }, name);
  }
  if (makefile !== undefined) {
    const name = makeTarget(makefile.head) ?? imageFriendly(folder.name);
    return finished(common, { packages: packages(["make"]), run: "make", copy: `/src/${name}` }, name);
  }
  const name = imageFriendly(folder.name);
  const top = sources
    .map(({ path }) => path)
    .sort()
    .join(" ");
  const links = used.map(({ link }) => ` ${link}`).join("");
  const run = `${isCpp ? "g++" : "gcc"} -O2 -Wall -o ${name} ${top}${links}`;
  return finished(common, { packages: packages([]), run, copy: `/src/${name}` }, name);
}

function finished(
  common: Omit<Recipe, "compile" | "entrypoint" | "notes">,
  compile: NonNullable<Recipe["compile"]>,
  name: string,
): Recipe {
  const program = name.split("/").at(-1)!;
  return {
    ...common,
    compile,
    entrypoint: [`/usr/local/bin/${program}`],
    notes: [
      `The program is taken to be called ${name}; if the build makes another, change the COPY --from and the last line.`,
    ],
  };
}

/** What a Makefile makes: a variable that names it, else its first target. */
function makeTarget(text: string): string | undefined {
  const named = /^\s*(?:TARGET|PROG|PROGRAM|BIN|EXE|EXECUTABLE|NAME)\s*[:?]?=\s*([\w.+/-]+)\s*$/m.exec(text)?.[1];
  if (named !== undefined) return named;
  const all = /^all\s*:\s*([\w.+/-]+)\s*$/m.exec(text)?.[1];
  if (all !== undefined) return all;
  const first = [...text.matchAll(/^([\w+/-][\w.+/-]*)\s*:(?!=)/gm)].map((match) => match[1]!);
  return first.find((target) => target !== "all" && !target.startsWith("."));
}

function imageFriendly(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[-._]+|[-._]+$/g, "") || "program"
  );
}
