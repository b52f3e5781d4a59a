import { GantryError } from "#base/core/errors.ts";

export interface StreamPiece {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

/**
 * Splits framed output (8-byte headers) into its streams. Frames of one stream that came together are one piece: a log
 * has a frame a line, and a write each would cost more than the line. Error "corrupt": the stream ends inside a frame.
 */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamPiece> {
  let buffer = new Uint8Array(0);
  for await (const chunk of source) {
    buffer = buffer.length === 0 ? chunk.slice() : concat(buffer, chunk);
    let at = 0;
    let run: { readonly stream: StreamPiece["stream"]; readonly parts: Uint8Array[] } | undefined;
    while (buffer.length - at >= 8) {
      if (buffer[at]! > 2) {
        if (run !== undefined) yield { stream: run.stream, bytes: Buffer.concat(run.parts) };
        throw new GantryError("corrupt", {
          doing: "read the output",
          because: `a frame is of stream ${buffer[at]}, which is none`,
        });
      }
      const size = new DataView(buffer.buffer, buffer.byteOffset + at + 4, 4).getUint32(0);
      if (buffer.length - at - 8 < size) break;
      const stream = buffer[at] === 2 ? "stderr" : "stdout";
      if (run?.stream !== stream) {
        if (run !== undefined) yield { stream: run.stream, bytes: Buffer.concat(run.parts) };
        run = { stream, parts: [] };
      }
      run.parts.push(buffer.subarray(at + 8, at + 8 + size));
      at += 8 + size;
    }
    if (run !== undefined) yield { stream: run.stream, bytes: Buffer.concat(run.parts) };
    buffer = buffer.subarray(at);
  }
  if (buffer.length > 0) {
    throw new GantryError("corrupt", { doing: "read the output", because: "the stream ends inside a frame" });
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** JSON documents one a line, as the engine streams them. */
export async function* jsonLines<T>(source: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of source) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) if (line.trim() !== "") yield parseLine(line) as T;
  }
  if (text.trim() !== "") yield parseLine(text) as T;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new GantryError("corrupt", {
      doing: "read the engine's answer",
      on: line.slice(0, 80),
      because: "a line is not JSON",
      cause,
    });
  }
}
