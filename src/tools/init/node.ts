import type { Folder, Recipe } from "./contract.ts";
import { choiceNote, find, pickMain, topFiles } from "./pick.ts";

interface PackageFile {
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export function nodeRecipe(folder: Folder): Recipe | undefined {
  const scripts = topFiles(folder).filter(({ path }) => /\.(?:m|c)?js$/.test(path));
  const manifest = find(folder, "package.json");
  if (manifest === undefined && scripts.length === 0) return undefined;
  const described = readPackage(manifest?.head);
  const started = /^node\s+(\S+)\s*$/.exec(described.scripts?.start ?? "")?.[1];
  const runnable = scripts.filter(({ path }) => !/\.(?:config|test|spec)\.|^\./.test(path));
  const names = [started, described.main, "index.js", "index.mjs", "main.js", "server.js", "app.js"];
  const main =
    started ??
    (described.main !== undefined && find(folder, described.main) !== undefined ? described.main : undefined) ??
    pickMain(
      runnable,
      names.filter((name) => name !== undefined),
      () => false,
    )?.path ??
    "index.js";
  const needsPackages = Object.keys(described.dependencies ?? {}).length > 0;
  const locked = find(folder, "package-lock.json") !== undefined;
  return {
    language: "node",
    what: `Node program ${main}`,
    packages: needsPackages ? ["nodejs", "npm", "ca-certificates"] : ["nodejs"],
    dependencies: needsPackages
      ? [
          "# Dependencies first: they change less often than the code, and what has not changed is not built again.",
          `COPY package.json ${locked ? "package-lock.json " : ""}./`,
          locked ? "RUN npm ci --omit=dev" : "RUN npm install --omit=dev",
        ]
      : [],
    entrypoint: ["node", `/app/${main}`],
    ignore: ["node_modules/", "npm-debug.log*", "coverage/"],
    notes: [
      ...(started === undefined && described.main === undefined ? choiceNote(main, runnable) : []),
      ...(needsPackages && !locked
        ? ["Without package-lock.json each build may get other versions: run npm install once and keep it."]
        : []),
    ],
  };
}

function readPackage(text: string | undefined): PackageFile {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
