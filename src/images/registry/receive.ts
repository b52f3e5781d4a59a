import { refuse } from "./answers.ts";
import type { ByteRange } from "./content-range.ts";

export interface BodyReader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

/** What is needed of a request. */
interface Sent {
  readonly headers: Headers;
  readonly body: { getReader(): BodyReader } | null;
}

/** The file it grows: an ingest, or a Worker's. */
interface Growing {
  readonly offset: number;
  write(chunk: Uint8Array): void;
}

/**
 * A request's body into an upload's file. What arrived is kept whatever happens, never more than `range` announced.
 * Gives the refusal when the body is not as announced; what the file throws is thrown.
 */
export async function receive(
  request: Sent,
  ingest: Growing,
  range: ByteRange | undefined,
  stop: AbortSignal,
  onBytes: () => void,
): Promise<Response | undefined> {
  const announced = announcedLength(request);
  const length = range === undefined ? announced : range.end - range.start;
  if (announced !== undefined && announced !== length)
    return refuse(416, "SIZE_INVALID", "Content-Range and Content-Length disagree");
  const end = length === undefined ? undefined : ingest.offset + length;
  if (request.body !== null) {
    const reader = request.body.getReader();
    const onStop = () => void reader.cancel().catch(() => undefined);
    stop.addEventListener("abort", onStop, { once: true });
    try {
      for (let chunk = await next(reader); chunk !== undefined && !stop.aborted; chunk = await next(reader)) {
        if (chunk === "broken") return refuse(400, "SIZE_INVALID", "the connection broke");
        const room = end === undefined ? chunk.length : end - ingest.offset;
        ingest.write(room < chunk.length ? chunk.subarray(0, room) : chunk);
        onBytes();
        if (room < chunk.length)
          return refuse(400, "SIZE_INVALID", `there are more bytes than the ${length} announced`);
      }
    } finally {
      stop.removeEventListener("abort", onStop);
      reader.releaseLock();
    }
  }
  if (stop.aborted) return refuse(409, "BLOB_UPLOAD_INVALID", "another request goes on with this upload");
  if (end !== undefined && ingest.offset < end)
    return refuse(400, "SIZE_INVALID", `${end - ingest.offset} of the ${length} bytes announced are missing`);
  return undefined;
}

function announcedLength(request: Sent): number | undefined {
  const header = request.headers.get("content-length");
  return header === null || !/^\d{1,15}$/.test(header) ? undefined : Number(header);
}

/** The next bytes; undefined at the end. */
async function next(reader: BodyReader): Promise<Uint8Array | "broken" | undefined> {
  try {
    return (await reader.read()).value;
  } catch {
    // The sender is gone: nobody hears the reason, and what came stays for the next try.
    return "broken";
  }
}
