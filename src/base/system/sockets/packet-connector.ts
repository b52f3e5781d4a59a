import { closeSync } from "node:fs";
import { fromRecord, GantryError } from "#base/core/errors.ts";
import { type PacketConnection, type PacketConnector, packetWindow } from "./contract.ts";
import { makeEventFd, signalEventFd } from "./epoll.ts";
import type { Hello, Report, Request } from "./messages.ts";

export interface PacketConnectorOptions {
  /** The Worker's entry file, which calls `servePackets` with the first message it gets. */
  readonly entry: URL | string;
  /** Milliseconds a reader whose window is full may take nothing before it is cut off; default 30 s. */
  readonly patience?: number;
}

/** The Worker starts with the first connection and stays. */
export function openPacketConnector({ entry, patience = 30_000 }: PacketConnectorOptions): PacketConnector {
  return new Connector(entry, patience);
}

class Connector implements PacketConnector {
  readonly #entry: URL | string;
  readonly #lines = new Map<number, Line>();
  readonly #processes = new Map<number, () => void>();
  readonly #folders = new Map<number, () => void>();
  readonly #unwatching = new Map<number, () => void>();
  #worker: { readonly worker: Worker; readonly port: MessagePort; readonly wake: number } | undefined;
  #stopped = Promise.withResolvers<void>();
  #onTables: ((names: readonly string[]) => void) | undefined;
  #nextId = 1;
  #closed = false;

  readonly #patience: number;

  constructor(entry: URL | string, patience: number) {
    this.#entry = entry;
    this.#patience = patience;
  }

  connect(path: string): Promise<PacketConnection> {
    if (this.#closed) {
      throw new GantryError("cancelled", { doing: "connect to", on: path, because: "the connector is closed" });
    }
    const line = new Line(this.#nextId++, this.#patience, (request) => this.#send(request));
    this.#lines.set(line.id, line);
    this.#send({ kind: "connect", id: line.id, path });
    return line.opened.promise;
  }

  processEnd(pid: number): Promise<void> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      this.#processes.set(id, resolve);
      this.#send({ kind: "process", id, pid });
    });
  }

  watchArrivals(folder: string, onArrival: () => void, work?: string): AsyncDisposable {
    const id = this.#nextId++;
    this.#folders.set(id, onArrival);
    this.#send({ kind: "watch", id, folder, ...(work === undefined ? {} : { work }) });
    return {
      [Symbol.asyncDispose]: async () => {
        if (!this.#folders.delete(id) || this.#closed) return;
        const done = new Promise<void>((resolve) => this.#unwatching.set(id, resolve));
        this.#send({ kind: "unwatch", id });
        await done;
      },
    };
  }

  watchTables(onDeleted: (names: readonly string[]) => void): void {
    this.#onTables = onDeleted;
    this.#send({ kind: "tables" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const running = this.#worker;
    if (running === undefined) return;
    this.#send({ kind: "stop" });
    await this.#stopped.promise;
    for (const line of this.#lines.values()) line.finish();
    for (const done of this.#unwatching.values()) done();
    running.worker.terminate();
    running.port.close();
    closeSync(running.wake);
    this.#worker = undefined;
  }

  #send(request: Request): void {
    this.#worker ??= this.#start();
    this.#worker.port.postMessage(request);
    signalEventFd(this.#worker.wake);
  }

  #start() {
    const worker = new Worker(this.#entry, { name: "attach", smol: true });
    const { port1, port2 } = new MessageChannel();
    const wake = makeEventFd();
    port1.onmessage = (event: { readonly data: unknown }) => this.#heard(event.data as Report);
    const hello: Hello = { port: port2, wake };
    worker.postMessage(hello, [port2]);
    worker.unref();
    return { worker, port: port1, wake };
  }

  #heard(report: Report): void {
    if (report.kind === "stopped") {
      this.#stopped.resolve();
      return;
    }
    if (report.kind === "arrived") {
      if (report.error !== undefined) throw fromRecord(report.error);
      this.#folders.get(report.id)?.();
      return;
    }
    if (report.kind === "tables-deleted") {
      this.#onTables?.(report.names);
      return;
    }
    if (report.kind === "unwatched") {
      this.#unwatching.get(report.id)?.();
      this.#unwatching.delete(report.id);
      return;
    }
    const process = this.#processes.get(report.id);
    if (process !== undefined) {
      this.#processes.delete(report.id);
      process();
      return;
    }
    const line = this.#lines.get(report.id);
    if (line === undefined) return;
    if (report.kind === "ended" || report.kind === "failed") this.#lines.delete(report.id);
    line.heard(report);
  }
}

class Line implements PacketConnection {
  readonly id: number;
  readonly opened = Promise.withResolvers<PacketConnection>();
  readonly #send: (request: Request) => void;
  readonly #queue: Uint8Array[] = [];
  readonly #receipts = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>();
  readonly #patience: number;
  #cutOff: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  #ended = false;
  #nextReceipt = 1;
  #wake: (() => void) | undefined;

  constructor(id: number, patience: number, send: (request: Request) => void) {
    this.id = id;
    this.#patience = patience;
    this.#send = send;
  }

  get waiting(): number {
    return this.#waiting;
  }

  readonly packets: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };

  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(closedSide());
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const receipt = this.#nextReceipt++;
      this.#receipts.set(receipt, { resolve, reject });
      this.#send({ kind: "write", id: this.id, bytes, receipt });
    });
  }

  endInput(): void {
    this.#send({ kind: "end", id: this.id });
  }

  close(): void {
    if (this.#ended) return;
    this.#queue.length = 0;
    this.#waiting = 0;
    this.#send({ kind: "close", id: this.id });
    this.finish();
  }

  #calm(): void {
    clearTimeout(this.#cutOff);
    this.#cutOff = undefined;
  }

  finish(): void {
    this.#ended = true;
    this.#calm();
    this.#wake?.();
    for (const receipt of this.#receipts.values()) {
      receipt.reject(closedSide());
    }
    this.#receipts.clear();
  }

  heard(report: Exclude<Report, { kind: "stopped" | "arrived" | "unwatched" | "tables-deleted" }>): void {
    if (report.kind === "open") this.opened.resolve(this);
    else if (report.kind === "failed") this.opened.reject(fromRecord(report.error));
    else if (report.kind === "ended") this.finish();
    else if (report.kind === "packet") {
      if (this.#ended) return;
      this.#queue.push(report.bytes);
      this.#waiting += report.bytes.length;
      // The window is full: from here on the process at the other end waits for this reader.
      if (this.#waiting >= packetWindow) this.#cutOff ??= setTimeout(() => this.close(), this.#patience);
      this.#wake?.();
    } else {
      const receipt = this.#receipts.get(report.receipt);
      this.#receipts.delete(report.receipt);
      if (report.error === undefined) receipt?.resolve();
      else receipt?.reject(fromRecord(report.error));
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#queue.length === 0) {
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const bytes = this.#queue.shift()!;
    this.#waiting -= bytes.length;
    this.#calm();
    if (!this.#ended) this.#send({ kind: "credit", id: this.id, bytes: bytes.length });
    return { done: false, value: bytes };
  }
}

function closedSide(): GantryError {
  return new GantryError("unavailable", { doing: "write to the container", because: "its side is closed" });
}
