import { fromRecord, GantryError } from "#base/core/errors.ts";
import type { BlobStore } from "#images/store/contract.ts";
import type { ByteRange } from "../content-range.ts";
import type { RegistryBytes } from "../contract.ts";
import type { Asked, Call, FromWorker, ToWorker } from "./messages.ts";
import { packAnswer } from "./messages.ts";
import { RemoteFile } from "./remote-file.ts";

export interface RegistryWorkerOptions {
  /** The Worker's entry file. */
  readonly entry: URL;
  readonly blobs: BlobStore;
  /** Decides on one request; never throws. An upload's bytes are not in it. */
  readonly answer: (request: Request) => Promise<Response>;
  /** The Worker ended without being asked to: nothing is served any more. */
  readonly onDeath: (error: GantryError) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The registry's Worker as the engine's thread sees it: it has the connections, this side the decisions. */
export class RegistryWorker implements AsyncDisposable {
  readonly #options: RegistryWorkerOptions;
  readonly #worker: Worker;
  readonly #calls = new Map<number, Waiting>();
  readonly #numbers = new WeakMap<Request, number>();
  readonly #files = new WeakMap<Response, { path: string; range?: ByteRange }>();
  readonly #hearers = new Map<number, () => void>();
  #last = 0;
  #ended = false;

  constructor(options: RegistryWorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(options.entry, { name: "registry", smol: true });
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#hear(event.data);
    this.#worker.addEventListener("error", (event) => this.#died(event.message));
    this.#worker.addEventListener("close", () => this.#died("it ended"));
  }

  /** Errors: "conflict" the address is taken or not of this machine. Gives the port. */
  listen(hostname: string, port: number): Promise<number> {
    return this.call<number>({ do: "listen", hostname, port });
  }

  async close(hostname: string, port: number): Promise<void> {
    await this.call({ do: "close", hostname, port });
  }

  readonly bytes: RegistryBytes = {
    open: async (ref, algorithm) => {
      const { blobs } = this.#options;
      const { id, path } = blobs.lend(ref);
      const file = ++this.#last;
      try {
        const offset = await this.call<number>({ do: "open", file, path, algorithm });
        return new RemoteFile(this, blobs, { id, file }, offset);
      } catch (error) {
        blobs.release(id);
        throw error;
      }
    },
    send: (path, range, init) => {
      const response = new Response(null, init);
      this.#files.set(response, { path, ...(range === undefined ? {} : { range }) });
      return response;
    },
  };

  call<T>(call: Call): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) return reject(gone("it has ended"));
      const id = ++this.#last;
      this.#calls.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#say({ kind: "call", id, call });
    });
  }

  /** While `work` runs, `onBytes` hears of the request's bytes and `stop` reaches the Worker. */
  async during<T>(
    request: Request,
    stop: AbortSignal,
    onBytes: () => void,
    work: (number: number) => Promise<T>,
  ): Promise<T> {
    const number = this.#numbers.get(request);
    if (number === undefined)
      throw new GantryError("internal", { doing: "receive the upload", because: "its request is not the Worker's" });
    const onStop = () => this.#say({ kind: "stop", request: number });
    this.#hearers.set(number, onBytes);
    stop.addEventListener("abort", onStop, { once: true });
    try {
      return await work(number);
    } finally {
      stop.removeEventListener("abort", onStop);
      this.#hearers.delete(number);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(gone("the registry stops"));
  }

  #say(message: ToWorker): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.kind === "heard") this.#hearers.get(message.request)?.();
    else if (message.kind === "request") void this.#serve(message);
    else {
      const waiting = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (message.kind === "done") waiting?.resolve(message.value);
      else waiting?.reject(fromRecord(message.error));
    }
  }

  async #serve({ request, method, url, headers, body }: Asked): Promise<void> {
    const init = { method, headers: headers as [string, string][], ...(body === undefined ? {} : { body }) };
    const asked = new Request(url, init as RequestInit);
    this.#numbers.set(asked, request);
    const response = await this.#options.answer(asked);
    const file = this.#files.get(response);
    const answer = await packAnswer(response);
    this.#say({ kind: "answer", request, answer: file === undefined ? answer : { ...answer, file } });
  }

  #died(how: string): void {
    if (this.#ended) return;
    const error = gone(how);
    this.#end(error);
    this.#options.onDeath(error);
  }

  #end(error: GantryError): void {
    this.#ended = true;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    this.#worker.terminate();
  }
}

function gone(how: string): GantryError {
  return new GantryError("unavailable", { doing: "serve the registry", because: `its Worker does not work: ${how}` });
}
