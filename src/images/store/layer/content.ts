import { ftruncateSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { chmodFd, chownFd, touchFd } from "#base/system/files/change.ts";
import { closeFd, owned } from "#base/system/files/open.ts";
import { mustOwn } from "#base/system/files/owner.ts";
import { setXattrFd } from "#base/system/files/xattr.ts";
import { must } from "#base/system/libc/errno.ts";
import type { TarEntry } from "#formats/tar/contract.ts";
import { type Metadata, tolerateXattr } from "./metadata.ts";
import { refuseLayer } from "./names.ts";

interface FileMatter {
  readonly entry: TarEntry;
  readonly metadata: Metadata;
  /** What of owner and mode the file was not born with. */
  readonly lacks: { readonly owner: boolean; readonly mode: boolean };
}

/** A regular file being filled; the descriptor is this object's own. */
export class FileContent implements Disposable {
  readonly #fd: number;
  readonly #path: string;
  readonly #matter: FileMatter;
  /** Where the next byte goes, and in which segment of a sparse file. */
  #position = 0;
  #segment = 0;

  constructor(fd: number, path: string, matter: FileMatter) {
    this.#fd = fd;
    this.#path = path;
    this.#matter = matter;
  }

  write(chunk: Uint8Array): void {
    const { sparse } = this.#matter.entry;
    if (sparse === undefined) {
      this.#writeAll(chunk, 0, chunk.length, null);
      return;
    }
    let from = 0;
    while (from < chunk.length) {
      const segment = sparse[this.#segment]!;
      const at = Math.max(this.#position, segment.offset);
      const take = Math.min(chunk.length - from, segment.offset + segment.length - at);
      this.#writeAll(chunk, from, take, at);
      from += take;
      this.#position = at + take;
      if (this.#position === segment.offset + segment.length) this.#segment += 1;
    }
  }

  /** Owner before mode and xattrs: it clears setuid and capabilities. The time last: all else changes it. */
  end(): void {
    using _file = owned(this.#fd);
    const { entry, metadata, lacks } = this.#matter;
    const on = this.#path;
    if (entry.sparse !== undefined) this.#stretch(entry.size);
    if (lacks.owner) mustOwn(chownFd(this.#fd, metadata.uid, metadata.gid), metadata.uid, metadata.gid, on);
    if (lacks.mode) must(chmodFd(this.#fd, metadata.mode), { doing: "set the mode of", on });
    for (const [name, value] of metadata.xattrs) tolerateXattr(setXattrFd(this.#fd, name, value), name, on);
    must(touchFd(this.#fd, metadata.modified), { doing: "set the time of", on });
  }

  /** Gives the file up as it is; not after `end`. */
  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }

  #stretch(size: number): void {
    try {
      ftruncateSync(this.#fd, size);
    } catch (cause) {
      refuseLayer(this.#path, `the file system cannot hold ${size} bytes (${(cause as Error).message})`);
    }
  }

  #writeAll(chunk: Uint8Array, from: number, length: number, position: number | null): void {
    let done = 0;
    try {
      while (done < length)
        done += writeSync(this.#fd, chunk, from + done, length - done, position === null ? null : position + done);
    } catch (cause) {
      const full = ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");
      if (!full) refuseLayer(this.#path, `its bytes cannot be written (${(cause as Error).message})`);
      throw new GantryError("exhausted", {
        doing: "unpack the layer's file",
        on: this.#path,
        because: "the disk is full",
        next: "Free some space on the data root's disk; `gantry prune` removes what nothing uses.",
        cause,
      });
    }
  }
}
