import type { Clock } from "#base/core/clock.ts";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { Descriptor } from "#formats/oci/contract.ts";
import type { Answer } from "./answer.ts";
import type { PutOptions } from "./contract.ts";
import { type ExchangeRequest, isLessSafe } from "./exchange.ts";

const tries = 3;

export type Ask = (request: Omit<ExchangeRequest, "on"> & { readonly on?: string }) => Promise<Answer>;

export interface UploadParts {
  readonly ask: Ask;
  readonly clock: Clock;
  /** ORIGIN/v2/PATH. */
  readonly base: string;
  readonly on: string;
}

/**
 * Monolithic: POST for a place, PUT with the bytes. What breaks on the way is begun anew at a new place, because
 * nobody knows how much the old one kept.
 */
export async function upload(
  { ask, clock, base, on }: UploadParts,
  descriptor: Descriptor,
  open: () => ReadableStream<Uint8Array>,
  put: PutOptions,
): Promise<void> {
  const signal = put.signal === undefined ? {} : { signal: put.signal };
  for (let attempt = 1; ; attempt += 1) {
    const doing = "begin the upload";
    const started = await ask({ method: "POST", url: `${base}/blobs/uploads/`, accept: [202], doing, on, ...signal });
    await started.drop();
    const url = uploadUrl(started, on);
    url.searchParams.set("digest", descriptor.digest);
    try {
      const finished = await ask({
        method: "PUT",
        url: url.href,
        headers: { "Content-Type": "application/octet-stream", "Content-Length": `${descriptor.size}` },
        body: () => counted(open(), put.onProgress),
        accept: [201, 204],
        doing: "upload the layer",
        on,
        again: false,
        ...signal,
      });
      return await finished.drop();
    } catch (error) {
      if (!isKind(error, "unavailable") || attempt >= tries) throw error;
      await clock.sleep(1000 * attempt, put.signal);
    }
  }
}

/** Where the registry wants the bytes. Errors: "corrupt" nowhere; "denied" somewhere less safe than itself. */
export function uploadUrl(started: Answer, on: string): URL {
  const location = started.headers.get("location");
  const doing = "begin the upload";
  if (location === null || !URL.canParse(location, started.url))
    throw new GantryError("corrupt", { doing, on, because: "the registry names no place for the upload" });
  const url = new URL(location, started.url);
  if (!isLessSafe(started.url, url)) return url;
  throw new GantryError("denied", { doing, on, because: `the registry wants the bytes at ${url.origin}, without TLS` });
}

function counted(
  stream: ReadableStream<Uint8Array>,
  onProgress: ((bytes: number) => void) | undefined,
): ReadableStream<Uint8Array> {
  if (onProgress === undefined) return stream;
  let sent = 0;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        sent += chunk.length;
        onProgress(sent);
        controller.enqueue(chunk);
      },
    }),
  );
}
