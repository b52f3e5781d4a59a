import type { Readable } from "node:stream";

/** More than this is not kept: the other side waits. */
const enough = 1024 * 1024;

/**
 * What comes on a stream, by its events. The runtime's own iterator over an HTTP/2 stream ends with "Premature close"
 * when the stream was closed in good order before its last bytes were taken.
 */
export function piecesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let over = false;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const end = () => {
    over = true;
    wake();
  };
  stream.on("data", (piece: Uint8Array) => {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > enough) stream.pause();
    wake();
  });
  stream.on("end", end);
  stream.on("close", end);
  stream.on("error", (error) => {
    failure = error;
    wake();
  });
  async function* taken(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) {
        bytes -= piece.length;
        if (bytes <= enough && stream.isPaused()) stream.resume();
        yield piece;
      } else if (failure !== undefined) throw failure;
      else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  // Listening began above, before anything was asked for.
  return taken();
}
