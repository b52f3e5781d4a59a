import type { DigestAlgorithm } from "#formats/oci/contract.ts";
import type { BlobStore, Ingest } from "#images/store/contract.ts";
import type { ByteRange } from "./content-range.ts";
import type { RegistryBytes, UploadFile } from "./contract.ts";
import { receive } from "./receive.ts";

/** Bytes go through this very thread. */
export function localBytes(blobs: BlobStore): RegistryBytes {
  return {
    open: async (ref: string, algorithm: DigestAlgorithm) => new LocalFile(await blobs.ingest(ref, { algorithm })),
    send: (path: string, range: ByteRange | undefined, init: ResponseInit) => sendFile(path, range, init),
  };
}

export function sendFile(path: string, range: ByteRange | undefined, init: ResponseInit): Response {
  const file = Bun.file(path);
  return new Response(range === undefined ? file : file.slice(range.start, range.end), init);
}

class LocalFile implements UploadFile {
  readonly #ingest: Ingest;

  constructor(ingest: Ingest) {
    this.#ingest = ingest;
  }

  get offset(): number {
    return this.#ingest.offset;
  }

  receive(request: Request, range: ByteRange | undefined, stop: AbortSignal, onBytes: () => void) {
    return receive(request, this.#ingest, range, stop, onBytes);
  }

  commit: UploadFile["commit"] = (digest) => this.#ingest.commit({ digest });
  abandon: UploadFile["abandon"] = () => this.#ingest.abandon();
  [Symbol.asyncDispose] = () => this.#ingest[Symbol.asyncDispose]();
}
