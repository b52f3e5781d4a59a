import type { Random } from "#base/core/random.ts";

/** Asks each server in turn from a port of its own and gives the first answer's bytes; undefined when none answers. */
export async function forwardDatagram(
  question: Buffer,
  servers: readonly string[],
  patience: number,
  random: Random,
): Promise<Uint8Array | undefined> {
  for (const server of servers) {
    const answer = await ask(question, server, patience / Math.max(1, servers.length), random);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** The id is our own: who sees only the client's cannot forge an answer. */
async function ask(
  question: Buffer,
  server: string,
  patience: number,
  random: Random,
): Promise<Uint8Array | undefined> {
  const answer = Promise.withResolvers<Uint8Array | undefined>();
  const timer = setTimeout(() => answer.resolve(undefined), patience);
  const own = Buffer.from(question);
  own.set(Buffer.from(random.hex(2), "hex"), 0);
  try {
    const socket = await Bun.udpSocket({
      connect: { hostname: server, port: 53 },
      socket: {
        data(_socket, bytes) {
          const copy = Buffer.from(bytes);
          if (copy.length < 12 || copy.readUInt16BE(0) !== own.readUInt16BE(0)) return;
          copy.set(question.subarray(0, 2), 0);
          answer.resolve(copy);
        },
        error: () => answer.resolve(undefined),
      },
    });
    try {
      // Where no way leads there it throws, and the descriptor must not stay.
      socket.send(own);
      return await answer.promise;
    } finally {
      socket.close();
    }
  } catch {
    return undefined; // No way to that server: the next one is asked.
  } finally {
    clearTimeout(timer);
  }
}

/** The same over TCP, one question a connection; the answer with its length before it. */
export async function pipeStream(
  question: Buffer,
  servers: readonly string[],
  patience: number,
): Promise<Buffer | undefined> {
  for (const server of servers) {
    const answer = await askStream(question, server, patience / Math.max(1, servers.length));
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function askStream(question: Buffer, server: string, patience: number): Promise<Buffer | undefined> {
  const answer = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(() => answer.resolve(undefined), patience);
  let pending = Buffer.alloc(0);
  const nothing = () => answer.resolve(undefined);
  try {
    const socket = await Bun.connect({
      hostname: server,
      port: 53,
      socket: {
        data(_socket, bytes) {
          pending = Buffer.concat([pending, bytes]);
          const whole = pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0);
          if (whole) answer.resolve(pending.subarray(0, 2 + pending.readUInt16BE(0)));
        },
        close: nothing,
        error: nothing,
      },
    });
    try {
      socket.write(question);
      return await answer.promise;
    } finally {
      socket.end();
    }
  } catch {
    return undefined; // Nobody listens there: the next one is asked.
  } finally {
    clearTimeout(timer);
  }
}
