import type { Duplex } from "node:stream";
import type { Attachment, OutputPiece } from "#containers/lifecycle/contract.ts";

export const rawStream = "application/vnd.docker.raw-stream";
export const multiplexedStream = "application/vnd.docker.multiplexed-stream";

/** One frame: [stream, 0, 0, 0, size as 32-bit big endian] and the bytes (Engine API, ContainerAttach). */
export function frame(stream: OutputPiece["stream"], bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + bytes.length);
  out[0] = stream === "stdout" ? 1 : 2;
  new DataView(out.buffer).setUint32(4, bytes.length);
  out.set(bytes, 8);
  return out;
}

/** Many pieces as one run of bytes, framed or raw: a write each would cost more than the bytes do. */
export function joined(pieces: readonly OutputPiece[], framed: boolean): Uint8Array {
  const head = framed ? 8 : 0;
  const out = Buffer.allocUnsafe(pieces.reduce((sum, { bytes }) => sum + head + bytes.length, 0));
  let at = 0;
  for (const { stream, bytes } of pieces) {
    if (framed) {
      out.writeUInt32BE(stream === "stdout" ? 0x01000000 : 0x02000000, at);
      out.writeUInt32BE(bytes.length, at + 4);
    }
    out.set(bytes, at + head);
    at += head + bytes.length;
  }
  return out;
}

export function written(socket: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.write(bytes)) {
      resolve();
      return;
    }
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

/**
 * Joins a client's connection to a container's streams until the output ends or the client leaves. A half-closed
 * client still gets the output. With a terminal the bytes are raw, else framed.
 */
export async function joinStreams(
  socket: Duplex,
  attachment: Attachment,
  options: { readonly terminal: boolean; readonly stdin: boolean },
): Promise<void> {
  await using held = attachment;
  let left = false;
  const gone = new Promise<void>((resolve) => {
    const leave = () => {
      left = true;
      resolve();
    };
    socket.once("close", leave);
    socket.once("error", leave);
    if (socket.destroyed) leave();
  });
  const input = options.stdin ? pumpInput(socket, held) : drain(socket);
  const output = (async () => {
    for await (const piece of held.output) {
      if (left) return;
      await written(socket, options.terminal ? piece.bytes : frame(piece.stream, piece.bytes));
    }
  })();
  // With the client gone nobody is left to hear how the output ends.
  output.catch(() => undefined);
  try {
    await Promise.race([output, gone]);
  } finally {
    input.stop();
  }
}

interface Stoppable {
  stop(): void;
}

function drain(socket: Duplex): Stoppable {
  socket.resume();
  return { stop: () => undefined };
}

function pumpInput(socket: Duplex, attachment: Attachment): Stoppable {
  let chain: Promise<void> = Promise.resolve();
  let stopped = false;
  const onData = (chunk: Buffer) => {
    socket.pause();
    chain = chain
      .then(() => (stopped ? undefined : attachment.write(chunk)))
      .then(
        () => {
          socket.resume();
        },
        () => {
          // The container's side is gone; its output ends the exchange.
          stopped = true;
          socket.resume();
        },
      );
  };
  const onEnd = () => {
    chain = chain.then(() => {
      if (!stopped) attachment.endInput();
    });
  };
  socket.on("data", onData);
  socket.on("end", onEnd);
  return {
    stop: () => {
      stopped = true;
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.resume();
    },
  };
}
