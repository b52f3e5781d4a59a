/**
 * A build context as the classic `/build` takes it: one tar of a folder, without what its ignore file leaves out. Read
 * with the user's rights, in byte order, so that the same folder gives the same tar.
 */
export interface ContextOptions {
  /** The context's folder. */
  readonly folder: string;
  /** A Dockerfile inside the folder, relative to it; or one from elsewhere, by its bytes. */
  readonly dockerfile: { readonly inside: string } | { readonly name: string; readonly bytes: Uint8Array };
}

export interface PackedContext {
  readonly stream: ReadableStream<Uint8Array>;
  /** What `/build` is told as `dockerfile`. */
  readonly dockerfile: string;
}

/** A folder of the tar for a Dockerfile that is no part of the context; the engine takes it out again. */
export { outsideFolder } from "#formats/dockerfile/outside.ts";
