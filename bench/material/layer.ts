import { closeSync, openSync, writeSync } from "node:fs";
import { createTarWriter, tarEntry } from "#formats/tar/writer.ts";

export interface LayerFile {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

export interface Shape {
  readonly files: number;
  readonly bytes: number;
  /** Part of the bytes that is noise; the rest is text that packs well. */
  readonly noise: number;
}

/** Writes a layer's tar: files of many sizes around the mean, 100 a folder. The bytes differ every time. */
export function writeLayer(path: string, shape: Shape): LayerFile {
  const file = openSync(path, "w");
  const hash = new Bun.CryptoHasher("sha256");
  let size = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const flush = () => {
    if (heldBytes === 0) return;
    const block = Buffer.concat(held);
    hash.update(block);
    for (let done = 0; done < block.length; ) done += writeSync(file, block, done);
    size += block.length;
    held = [];
    heldBytes = 0;
  };
  const tar = createTarWriter((chunk) => {
    held.push(chunk.slice());
    heldBytes += chunk.length;
    if (heldBytes >= 4 << 20) flush();
  });
  const content = contents(shape);
  const modified = { seconds: 1_700_000_000, nanoseconds: 0 };
  const name = (text: string) => Buffer.from(text);
  for (let i = 0; i < shape.files; i++) {
    const folder = `srv/${Math.floor(i / 100)}`;
    if (i % 100 === 0) tar.entry(tarEntry({ name: name(`${folder}/`), type: "directory", mode: 0o755, modified }));
    const bytes = content(i);
    tar.entry(tarEntry({ name: name(`${folder}/file-${i}`), type: "file", mode: 0o644, modified, size: bytes.length }));
    tar.data(bytes);
  }
  tar.finish();
  flush();
  closeSync(file);
  return { path, digest: `sha256:${hash.digest("hex")}`, size };
}

function contents({ files, bytes, noise }: Shape): (index: number) => Uint8Array {
  const mean = bytes / files;
  const largest = Math.ceil(mean * 1.9) + 1;
  const source = new Uint8Array(largest * 2);
  const noisy = Math.floor(source.length * noise);
  for (let at = 0; at < noisy; at += 65_536) crypto.getRandomValues(source.subarray(at, Math.min(at + 65_536, noisy)));
  for (let at = noisy; at < source.length; at++) source[at] = 32 + ((at * 7) % 61);
  const stamp = new DataView(source.buffer);
  const steps = Math.min(files, 1000);
  return (index) => {
    // Sizes run from 0.1 to 1.9 times the mean, evenly.
    const length = Math.floor(mean * (0.1 + (1.8 * ((index % steps) + 0.5)) / steps));
    const from = files === 1 ? 0 : (index * 7919) % largest;
    if (length >= 8) stamp.setUint32(from, index);
    return source.subarray(from, from + Math.min(length, largest));
  };
}
