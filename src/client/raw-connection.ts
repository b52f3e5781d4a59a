import type { Socket } from "bun";
import { GantryError } from "#base/core/errors.ts";
import type { Address } from "./address.ts";
import type { ClientTls, RawConnection } from "./contract.ts";
import { refusal, unreachable } from "./failure.ts";

const headLimit = 64 * 1024;
/** For the rest of a refusal whose length was not told. */
const refusalPatience = 1000;

/** Bytes as they come, held back at the source when nobody reads. */
class Inbox implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;
  #flow: (full: boolean) => void = () => undefined;

  onFlow(flow: (full: boolean) => void): void {
    this.#flow = flow;
  }

  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > 1024 * 1024) this.#flow(true);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#bytes -= next.length;
        if (this.#waiting.length === 0) this.#flow(false);
        yield next;
      } else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

export interface RawTarget {
  /** As the user wrote it, for messages. */
  readonly host: string;
  readonly address: Address;
  readonly tls?: ClientTls;
}

/** Sends an upgrade request by hand and hands over what follows the answer's head (Engine API, "hijacking"). */
export async function openRaw(to: RawTarget, path: string, json: unknown): Promise<RawConnection> {
  const { host, address, tls } = to;
  const inbox = new Inbox();
  const head = Promise.withResolvers<string>();
  let drained = Promise.withResolvers<void>();
  let before: Buffer | undefined = Buffer.alloc(0);
  let refusedLength = Number.POSITIVE_INFINITY;
  const enough = () => {
    if (refused.reduce((sum, part) => sum + part.length, 0) >= refusedLength) ended.resolve();
  };
  let upgraded = false;
  const refused: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  let closed = false;

  const secured = tls === undefined ? undefined : Promise.withResolvers<void>();
  const handlers = {
    /** What is written before is lost. */
    handshake(_socket: Socket, success: boolean, error: Error | null) {
      if (success && error === null) secured?.resolve();
      else secured?.reject(error ?? new Error("the TLS handshake failed"));
    },
    data(_socket: Socket, chunk: Buffer) {
      if (upgraded) {
        // Bun reuses the buffer after the call.
        inbox.push(new Uint8Array(chunk));
        return;
      }
      if (before === undefined) {
        refused.push(new Uint8Array(chunk));
        enough();
        return;
      }
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf("\r\n\r\n");
      if (at === -1) {
        if (before.length > headLimit) head.reject(badHead(path));
        return;
      }
      const text = before.subarray(0, at).toString("latin1");
      const rest = new Uint8Array(before.subarray(at + 4));
      upgraded = / (101|200) /.test(text.split("\r\n", 1)[0]!);
      before = undefined;
      if (upgraded) {
        if (rest.length > 0) inbox.push(rest);
      } else {
        refused.push(rest);
        refusedLength = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
        enough();
      }
      head.resolve(text);
    },
    drain() {
      drained.resolve();
    },
    end() {
      head.reject(badHead(path));
      ended.resolve();
      inbox.end();
    },
    close() {
      closed = true;
      head.reject(badHead(path));
      ended.resolve();
      drained.resolve();
      inbox.end();
    },
    error(_socket: Socket, error: Error) {
      secured?.reject(error);
      head.reject(error);
      inbox.end();
    },
  };

  let socket: Socket;
  try {
    socket =
      address.kind === "unix"
        ? await Bun.connect({ unix: address.path, socket: handlers, allowHalfOpen: true } as never)
        : await Bun.connect({
            hostname: address.host.replace(/^\[|\]$/g, ""),
            port: address.port,
            ...(tls === undefined ? {} : { tls }),
            socket: handlers,
            allowHalfOpen: true,
          } as never);
    await secured?.promise;
  } catch (error) {
    throw unreachable(host, error);
  }
  const body = json === undefined ? "" : JSON.stringify(json);
  const length = Buffer.byteLength(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
  let answer: string;
  try {
    answer = await head.promise;
    if (!upgraded) {
      await Promise.race([ended.promise, Bun.sleep(refusalPatience)]);
      const status = Number(answer.split(" ", 2)[1]);
      throw refusal(status, Buffer.concat(refused).toString("utf8"), `POST ${path}`);
    }
  } catch (error) {
    socket.terminate();
    throw error;
  }
  inbox.onFlow((full) => (full ? socket.pause() : socket.resume()));

  return {
    multiplexed: /content-type: application\/vnd\.docker\.multiplexed-stream/i.test(answer),
    input: inbox,
    async write(bytes) {
      let rest = bytes;
      for (;;) {
        const taken = socket.write(rest);
        if (taken < 0 || closed) {
          throw new GantryError("unavailable", {
            doing: "send to the container",
            because: "the connection has closed",
          });
        }
        if (taken >= rest.length) return;
        rest = rest.subarray(taken);
        await drained.promise;
        drained = Promise.withResolvers<void>();
      }
    },
    end: () => {
      socket.shutdown();
    },
    [Symbol.dispose]: () => {
      socket.terminate();
    },
  };
}

function badHead(path: string): GantryError {
  return new GantryError("unavailable", {
    doing: "open the stream",
    on: path,
    because: "the engine closed the connection before it answered",
  });
}
