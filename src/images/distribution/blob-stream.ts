import { GantryError } from "#base/core/errors.ts";
import type { Descriptor } from "#formats/oci/contract.ts";
import type { Answer } from "./answer.ts";
import type { BlobStream } from "./contract.ts";
import type { Ask } from "./uploads.ts";

const doing = "download the layer";

/** A blob's bytes from an offset on, or from the beginning when the registry cannot do that. */
export async function openBlob(
  ask: Ask,
  base: string,
  on: string,
  descriptor: Descriptor,
  offset: number,
  signal?: AbortSignal,
): Promise<BlobStream> {
  const answer = await ask({
    method: "GET",
    url: `${base}/blobs/${descriptor.digest}`,
    headers: offset === 0 ? {} : { Range: `bytes=${offset}-` },
    accept: offset === 0 ? [200] : [200, 206, 416],
    doing,
    on,
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.status === 416) {
    await answer.drop();
    return await openBlob(ask, base, on, descriptor, 0, signal);
  }
  const start = answer.status === 206 ? rangeStart(answer, offset) : 0;
  return { offset: start, stream: whole(answer, start, descriptor.size, on, signal) };
}

/** Where the bytes really begin: a proxy may have cut its range otherwise. */
function rangeStart(answer: Answer, asked: number): number {
  const header = answer.headers.get("content-range");
  const match = /^bytes (\d{1,15})-/.exec(header ?? "");
  return match === null ? asked : Number(match[1]);
}

/** A stream that ends before its size is a broken connection, whatever the proxy in between made of it. */
async function* whole(
  answer: Answer,
  start: number,
  size: number,
  on: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = start;
  for await (const chunk of answer.stream(signal)) {
    at += chunk.length;
    yield chunk;
  }
  if (at < size) {
    const because = `the connection ended after ${at} of ${size} bytes`;
    throw new GantryError("unavailable", { doing, on, because, next: "Try again: it goes on where it stopped." });
  }
}
