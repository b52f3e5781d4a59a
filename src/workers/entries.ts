/**
 * Where the Workers' entry files are. In a checkout: beside this file. In the one-file binary every module's URL is
 * the program's own, and the extra entry points given to `bun build --compile --root src` keep their place below src.
 * Always absolute: a relative name would be looked up in the caller's working folder too.
 */
const folder = import.meta.url.includes("/$bunfs/") ? "./workers/" : "./";

export const workerEntries = {
  kernel: new URL(`${folder}kernel.ts`, import.meta.url),
  bulk: new URL(`${folder}bulk.ts`, import.meta.url),
  attach: new URL(`${folder}attach.ts`, import.meta.url),
  registry: new URL(`${folder}registry.ts`, import.meta.url),
} as const;
