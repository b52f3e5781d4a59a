import { GantryError } from "#base/core/errors.ts";
import type { PacketConnection, PacketConnector } from "#base/system/sockets/contract.ts";
import type { Attachment, AttachOptions, OutputPiece } from "./contract.ts";

/** conmon's packets: a byte naming the stream, then data. */
const streams: Readonly<Record<number, OutputPiece["stream"]>> = { 2: "stdout", 3: "stderr" };

/** An attachment that may be there before its container: it joins with `connect`. */
export class LiveAttachment implements Attachment {
  readonly #options: AttachOptions;
  readonly #connection = Promise.withResolvers<PacketConnection | undefined>();
  #onEnd: () => void = () => undefined;
  #endedInput = false;

  constructor(options: AttachOptions) {
    this.#options = options;
  }

  readonly output: AsyncIterable<OutputPiece> = { [Symbol.asyncIterator]: () => this.#read() };

  onEnd(callback: () => void): void {
    this.#onEnd = callback;
  }

  async connect(connector: PacketConnector, path: string): Promise<void> {
    const connection = await connector.connect(path);
    this.#connection.resolve(connection);
    if (this.#endedInput) connection.endInput();
  }

  /** The container never started, or this client left before it did. */
  abandon(): void {
    this.#connection.resolve(undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const connection = await this.#connection.promise;
    if (!this.#options.stdin || connection === undefined) {
      throw new GantryError("unavailable", { doing: "write to the container", because: "its input is not attached" });
    }
    await connection.write(bytes);
  }

  endInput(): void {
    if (!this.#options.stdin) return;
    this.#endedInput = true;
    void this.#connection.promise.then((connection) => connection?.endInput());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abandon();
    (await this.#connection.promise)?.close();
    this.#onEnd();
  }

  async *#read(): AsyncGenerator<OutputPiece> {
    const connection = await this.#connection.promise;
    if (connection === undefined) return;
    for await (const packet of connection.packets) {
      const stream = streams[packet[0] ?? 0];
      if (stream === undefined || this.#options[stream] === false) continue;
      yield { stream, bytes: packet.subarray(1) };
    }
    this.#onEnd();
  }
}
