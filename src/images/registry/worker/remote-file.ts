import { GantryError } from "#base/core/errors.ts";
import type { Digest } from "#formats/oci/contract.ts";
import type { BlobInfo, BlobStore } from "#images/store/contract.ts";
import type { ByteRange } from "../content-range.ts";
import type { UploadFile } from "../contract.ts";
import { type Received, unpackAnswer } from "./messages.ts";
import type { RegistryWorker } from "./registry-worker.ts";

/** An upload's file that the registry's Worker writes and hashes; its name and its end are the store's. */
export class RemoteFile implements UploadFile {
  offset: number;
  readonly #worker: RegistryWorker;
  readonly #blobs: BlobStore;
  readonly #id: string;
  readonly #file: number;
  #released: Promise<void> | undefined;

  constructor(
    worker: RegistryWorker,
    blobs: BlobStore,
    { id, file }: { readonly id: string; readonly file: number },
    offset: number,
  ) {
    this.#worker = worker;
    this.#blobs = blobs;
    this.#id = id;
    this.#file = file;
    this.offset = offset;
  }

  receive(
    request: Request,
    range: ByteRange | undefined,
    stop: AbortSignal,
    onBytes: () => void,
  ): Promise<Response | undefined> {
    return this.#worker.during(request, stop, onBytes, async (number) => {
      const call = {
        do: "receive",
        file: this.#file,
        request: number,
        ...(range === undefined ? {} : { range }),
      } as const;
      const { offset, refusal } = await this.#worker.call<Received>(call);
      this.offset = offset;
      return refusal === undefined ? undefined : unpackAnswer(refusal);
    });
  }

  async commit(wanted: Digest): Promise<BlobInfo> {
    const blob = await this.#worker.call<{ digest: Digest; size: number }>({ do: "finish", file: this.#file });
    try {
      if (blob.digest === wanted) return await this.#blobs.adopt(this.#id, blob);
    } finally {
      await this[Symbol.asyncDispose]();
    }
    this.#blobs.discard(this.#id);
    throw new GantryError("corrupt", {
      doing: "store the blob",
      on: wanted,
      because: `its digest is ${blob.digest}`,
      next: "Try again; if it stays so, the source is damaged.",
    });
  }

  abandon(): Promise<void> {
    this.#blobs.discard(this.#id);
    return this[Symbol.asyncDispose]();
  }

  /** A Worker that died holds nothing any more. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#worker
      .call<void>({ do: "release", file: this.#file })
      .finally(() => this.#blobs.release(this.#id));
    return this.#released;
  }
}
