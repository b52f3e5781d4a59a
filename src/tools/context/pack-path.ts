import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { addTree } from "./pack.ts";

/** A file or folder here as a tar whose top entry has `name` ("." packs what a folder holds). Error "not-found". */
export function packPath(path: string, name: string): ReadableStream<Uint8Array> {
  const own = resolve(path);
  try {
    lstatSync(own);
  } catch (cause) {
    throw new GantryError("not-found", { doing: "copy", on: path, because: "there is no such file or folder", cause });
  }
  return tarStream((tar) => addTree(tar, own, name));
}
