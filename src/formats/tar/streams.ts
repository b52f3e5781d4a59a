import { GantryError } from "#base/core/errors.ts";
import type { ByteSink, TarEntry, TarReaderLimits, TarWriter } from "./contract.ts";
import { createAutoDecompressor } from "./decompress.ts";
import { createTarReader } from "./reader.ts";
import { createTarWriter } from "./writer.ts";

/** An entry with its bytes. `content` must be read, or is skipped, before the next entry is asked for. */
export interface StreamedEntry {
  readonly entry: TarEntry;
  readonly content: AsyncIterable<Uint8Array>;
}

type Event = { kind: "entry"; entry: TarEntry } | { kind: "data"; chunk: Uint8Array } | { kind: "end" };

// Input is parsed in small pieces so that what a bomb makes of one piece stays small (deflate: at most 1032 times).
const pieceBytes = 8 * 1024;

/**
 * The entries of a tar as they come, decompressed when it is gzip'd or zstd'd. Holds a piece at a time; the source is
 * read only as fast as the entries are taken.
 */
export async function* entriesOf(
  source: AsyncIterable<Uint8Array>,
  limits?: TarReaderLimits,
): AsyncGenerator<StreamedEntry> {
  const events: Event[] = [];
  const reader = createTarReader(
    {
      entry: (entry) => events.push({ kind: "entry", entry }),
      // The reader's chunk is only lent.
      data: (chunk) => events.push({ kind: "data", chunk: chunk.slice() }),
      end: () => events.push({ kind: "end" }),
    },
    limits,
  );
  using decompressor = createAutoDecompressor((chunk) => reader.push(chunk));
  const pieces = piecesOf(source);
  let over = false;

  const next = async (): Promise<Event | undefined> => {
    while (events.length === 0 && !over) {
      const piece = await pieces.next();
      if (piece.done) {
        over = true;
        decompressor.finish();
        reader.finish();
      } else decompressor.push(piece.value);
    }
    return events.shift();
  };

  async function* contentOf(state: { ended: boolean }): AsyncGenerator<Uint8Array> {
    while (!state.ended) {
      const event = await next();
      if (event?.kind === "data") yield event.chunk;
      else state.ended = true;
    }
  }

  try {
    for (let event = await next(); event !== undefined; event = await next()) {
      if (event.kind !== "entry") continue;
      const state = { ended: false };
      yield { entry: event.entry, content: contentOf(state) };
      while (!state.ended) {
        const rest = await next();
        state.ended = rest === undefined || rest.kind === "end";
      }
    }
  } finally {
    await pieces.return(undefined);
  }
}

async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; at += pieceBytes) yield chunk.subarray(at, at + pieceBytes);
}

/** Small entries are given together: a chunk each would cost more than the bytes. */
const enough = 64 * 1024;

/** A tar writer whose data may come from async sources; each call waits until the reader takes more. */
export interface StreamingTarWriter {
  entry(entry: TarEntry, content?: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * A tar made while it is read. `write` is called once and tells the entries; the end mark is added after it. When the
 * reader cancels, `write`'s next call throws "cancelled".
 */
export function tarStream(write: (writer: StreamingTarWriter) => Promise<void>): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 1 });
  const out = writable.getWriter();
  const pending: Uint8Array[] = [];
  const tar: TarWriter = createTarWriter(((chunk) => {
    pending.push(chunk.slice());
    bytesPending += chunk.length;
  }) satisfies ByteSink);
  let bytesPending = 0;
  const drain = async (least = enough) => {
    if (bytesPending < least || pending.length === 0) return;
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending.length = 0;
    bytesPending = 0;
    await out.write(bytes);
  };
  const run = async () => {
    await write({
      async entry(entry, content) {
        tar.entry(entry);
        await drain();
        if (content instanceof Uint8Array) tar.data(content);
        else if (content !== undefined)
          for await (const chunk of content) {
            tar.data(chunk);
            await drain();
          }
        await drain();
      },
    });
    tar.finish();
    await drain(0);
    await out.close();
  };
  run().catch((error: unknown) =>
    out.abort(error).catch((second: unknown) => {
      // Aborting what the reader cancelled already is no news.
      if (second instanceof GantryError) throw second;
    }),
  );
  return readable;
}
