import type { Random } from "#base/core/random.ts";
import type { DigestAlgorithm } from "#formats/oci/contract.ts";
import type { Catalogue, RegistryBytes, UploadFile } from "./contract.ts";

/** Upload ids are ours: hex only, so they are fit for any key. */
const idPattern = /^[0-9a-f]{32}$/;
/** Files kept open between two requests, with the hash so far; more would be descriptors nobody uses. */
const warmLimit = 32;
const idleMs = 24 * 3600 * 1000;
/** A sender that says nothing for so long makes way for another request to the same upload. */
export const stalledMs = 30_000;

/** A request that sends bytes for an upload. */
export interface Sender {
  /** Ends it early. */
  stop(): void;
  /** When its last bytes came, milliseconds since 1970. */
  heard: number;
  readonly ended: Promise<void>;
}

export interface Upload {
  readonly id: string;
  readonly repository: string;
  /** Milliseconds since 1970. */
  touched: number;
  /** Of the hash being computed; the digest that ends the upload may want another. */
  algorithm: DigestAlgorithm;
  /** One at a time. */
  sender?: Sender | undefined;
  file?: UploadFile | undefined;
  opening?: Promise<UploadFile> | undefined;
  /** Whether the catalogue knows it, so that it outlives this process. */
  readonly lasting: boolean;
}

export interface OpenUploadsParts {
  readonly bytes: RegistryBytes;
  readonly catalogue: Catalogue;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What went wrong while an old upload was dropped. */
  readonly onError: (error: unknown) => void;
  /** Uploads at most; default 10,000. */
  readonly limit?: number;
}

/**
 * The uploads that were begun and not ended. Each one's bytes stand in the store's ingest area under its id, its row
 * in the catalogue: both survive a restart. They are bounded: the one nobody asked about for longest makes way, and what was idle for a day goes.
 */
export class OpenUploads implements AsyncDisposable {
  readonly #bytes: RegistryBytes;
  readonly #catalogue: Catalogue;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #limit: number;
  /** Least recently used first. */
  readonly #open = new Map<string, Upload>();
  readonly #warm = new Set<Upload>();

  constructor(parts: OpenUploadsParts) {
    const { bytes, catalogue, random, now, onError, limit = 10_000 } = parts;
    this.#bytes = bytes;
    this.#catalogue = catalogue;
    this.#random = random;
    this.#now = now;
    this.#onError = onError;
    this.#limit = limit;
    for (const { id, repository } of catalogue.uploads())
      this.#open.set(id, { id, repository, touched: now(), algorithm: "sha256", lasting: true });
  }

  get size(): number {
    return this.#open.size;
  }

  /** `lasting` false: its id is told to nobody, so nobody could go on with it. */
  begin(repository: string, algorithm: DigestAlgorithm, lasting: boolean): Upload {
    this.#reap();
    const id = this.#random.hex(16);
    if (lasting) this.#catalogue.beginUpload(id, repository);
    const upload: Upload = { id, repository, touched: this.#now(), algorithm, lasting };
    this.#open.set(id, upload);
    return upload;
  }

  find(repository: string, id: string): Upload | undefined {
    const upload = idPattern.test(id) ? this.#open.get(id) : undefined;
    if (upload === undefined || upload.repository !== repository) return undefined;
    return upload;
  }

  touch(upload: Upload): void {
    upload.touched = this.#now();
    if (this.#open.delete(upload.id)) this.#open.set(upload.id, upload);
  }

  /** The sender's bytes came. */
  heard(upload: Upload): void {
    this.touch(upload);
    if (upload.sender !== undefined) upload.sender.heard = upload.touched;
  }

  /** The sender has ended. */
  released(upload: Upload): void {
    upload.sender = undefined;
    this.#cool();
  }

  isStalled(sender: Sender): boolean {
    return this.#now() - sender.heard >= stalledMs;
  }

  /** The upload's file. Only its sender, or the one that drops it, may ask for another algorithm. */
  async file(upload: Upload, algorithm = upload.algorithm): Promise<UploadFile> {
    for (;;) {
      if (upload.opening !== undefined) await upload.opening;
      else if (upload.file !== undefined && upload.algorithm === algorithm) return upload.file;
      else {
        await this.close(upload);
        upload.algorithm = algorithm;
        upload.opening = this.#openFile(upload);
        try {
          upload.file = await upload.opening;
        } finally {
          upload.opening = undefined;
        }
      }
    }
  }

  /** Bytes stay; the next use reads them again. */
  async close(upload: Upload): Promise<void> {
    const { file } = upload;
    upload.file = undefined;
    this.#warm.delete(upload);
    await file?.[Symbol.asyncDispose]();
  }

  /** Its bytes are a blob now, or gone. */
  forget(upload: Upload): void {
    upload.file = undefined;
    this.#warm.delete(upload);
    this.#open.delete(upload.id);
  }

  /** Forgets upload, row and bytes. */
  async drop(upload: Upload): Promise<void> {
    this.#open.delete(upload.id);
    upload.sender?.stop();
    await upload.sender?.ended;
    if (upload.lasting) this.#catalogue.endUpload(upload.id);
    const file = await this.file(upload);
    this.forget(upload);
    await file.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const upload of this.#open.values()) {
      upload.sender?.stop();
      await upload.sender?.ended;
      await this.close(upload);
    }
    this.#open.clear();
  }

  #reap(): void {
    const before = this.#now() - idleMs;
    for (const upload of this.#open.values()) {
      if (upload.touched >= before && this.#open.size < this.#limit) return;
      this.#open.delete(upload.id);
      this.drop(upload).catch(this.#onError);
    }
  }

  async #openFile(upload: Upload): Promise<UploadFile> {
    this.#cool();
    const file = await this.#bytes.open(`upload ${upload.id}`, upload.algorithm);
    this.#warm.add(upload);
    return file;
  }

  /** Closes files nobody writes to, those opened first, until few are open. */
  #cool(): void {
    for (const upload of this.#warm) {
      if (this.#warm.size <= warmLimit) return;
      if (upload.sender === undefined) this.close(upload).catch(this.#onError);
    }
  }
}
