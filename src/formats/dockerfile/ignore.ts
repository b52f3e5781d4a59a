import dockerignore from "@balena/dockerignore";

/** What a `.dockerignore` says about the paths of a context. */
export interface IgnoreRules {
  /** Whether the path (relative, "/" between names) is left out. */
  ignores(path: string): boolean;
  /** Whether nothing below this ignored folder can be let in again, so that it need not be walked. */
  prunes(folder: string): boolean;
}

const everythingIn: IgnoreRules = { ignores: () => false, prunes: () => false };

/** The patterns of an ignore file, one a line, comments gone. */
export function ignorePatterns(bytes: Uint8Array | string | undefined): string[] {
  const text = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes ?? new Uint8Array());
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "!");
}

/** Reads the rules of an ignore file, as Docker understands them (patternmatcher, not gitignore). */
export function parseIgnore(bytes: Uint8Array | string | undefined): IgnoreRules {
  const patterns = ignorePatterns(bytes);
  if (patterns.length === 0) return everythingIn;
  const rules = dockerignore({ ignorecase: false }).add(patterns);
  const exceptions = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => clean(pattern.slice(1)));
  const ignores = (path: string) => rules.ignores(path);
  return {
    ignores,
    prunes: (folder) => ignores(folder) && !exceptions.some((pattern) => mayMatchBelow(pattern, folder)),
  };
}

function clean(pattern: string): string {
  return pattern.trim().replace(/^\/+/, "").replace(/^\.\//, "").replace(/\/+$/, "");
}

/** Whether an exception could match something in the folder: by its plain names before the first wildcard. */
function mayMatchBelow(pattern: string, folder: string): boolean {
  const plain = pattern.split("/");
  const wild = plain.findIndex((part) => /[*?[\\]/.test(part));
  const fixed = (wild < 0 ? plain : plain.slice(0, wild)).join("/");
  if (fixed === "") return true;
  return fixed === folder || fixed.startsWith(`${folder}/`) || folder.startsWith(`${fixed}/`);
}

/** The names an ignore file for a Dockerfile may have in the context, the first that exists is used. */
export function ignoreFileNames(dockerfile: string): string[] {
  return [`${dockerfile}.dockerignore`, ".dockerignore"];
}
