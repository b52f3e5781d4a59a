import { fromRecord, GantryError } from "#base/core/errors.ts";
import type { RunOptions, Task, WorkerPool } from "./contract.ts";
import type { Answer, RunMessage } from "./messages.ts";

export interface WorkerPoolOptions {
  /** In words, for errors: "kernel". */
  readonly name: string;
  /** The Worker's entry file, made with `new URL(..., import.meta.url)` so that a compiled binary finds it too. */
  readonly entry: URL | string;
  /** Most Workers at once. */
  readonly size: number;
  /** How many stay when idle; the rest end after `idleMs`. */
  readonly keep?: number;
  readonly idleMs?: number;
}

interface Job {
  readonly message: RunMessage;
  readonly options: RunOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly forget: () => void;
}

interface Seat {
  readonly worker: Worker;
  job: Job | undefined;
  retire: ReturnType<typeof setTimeout> | undefined;
}

export function openWorkerPool(options: WorkerPoolOptions): WorkerPool {
  return new Pool(options);
}

class Pool implements WorkerPool {
  readonly #options: Required<WorkerPoolOptions>;
  readonly #seats = new Set<Seat>();
  readonly #queue: Job[] = [];
  #nextId = 1;
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = { keep: 1, idleMs: 10_000, ...options };
  }

  run<A, R>(task: Task<A, R>, args: A, options: RunOptions = {}): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#closed || options.signal?.aborted) {
        reject(this.#cancelled(task.name, this.#closed ? "the pool is closed" : "it was aborted before it began"));
        return;
      }
      const flag = new SharedArrayBuffer(4);
      const onAbort = () => this.#abort(job);
      const job: Job = {
        message: {
          id: this.#nextId++,
          task: task.name,
          args,
          flag,
          wantsProgress: options.onProgress !== undefined,
        },
        options,
        resolve: resolve as (value: unknown) => void,
        reject,
        forget: () => options.signal?.removeEventListener("abort", onAbort),
      };
      options.signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  warm(): void {
    if (!this.#closed && this.#seats.size === 0) this.#rest(this.#open());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0))
      this.#settle(job, () => job.reject(this.#cancelled(job.message.task, "the pool closes")));
    const running = [...this.#seats].flatMap((seat) => (seat.job === undefined ? [] : [seat.job]));
    await Promise.all(
      running.map((job) => {
        Atomics.store(new Int32Array(job.message.flag), 0, 1);
        return new Promise<void>((done) => this.#afterwards.set(job, done));
      }),
    );
    for (const seat of this.#seats) this.#close(seat);
  }

  /** Who waits for a running job's end, whatever it is. */
  readonly #afterwards = new Map<Job, () => void>();

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const idle = [...this.#seats].find((seat) => seat.job === undefined);
      const seat = idle ?? (this.#seats.size < this.#options.size ? this.#open() : undefined);
      if (seat === undefined) return;
      this.#begin(seat, this.#queue.shift()!);
    }
  }

  #begin(seat: Seat, job: Job): void {
    clearTimeout(seat.retire);
    seat.retire = undefined;
    seat.job = job;
    seat.worker.ref();
    try {
      seat.worker.postMessage(job.message);
    } catch (error) {
      // The arguments cannot be cloned: the caller's mistake, the Worker is well.
      seat.job = undefined;
      this.#rest(seat);
      this.#settle(job, () =>
        job.reject(
          new GantryError("internal", {
            doing: "hand the task to a Worker",
            on: job.message.task,
            because: "its arguments cannot be copied",
            cause: error,
          }),
        ),
      );
    }
  }

  #open(): Seat {
    const worker = new Worker(this.#options.entry, { name: this.#options.name, smol: true });
    const seat: Seat = { worker, job: undefined, retire: undefined };
    worker.onmessage = (event: MessageEvent<Answer>) => this.#answered(seat, event.data);
    worker.addEventListener("error", (event) => this.#died(seat, event.message));
    worker.addEventListener("close", () => this.#died(seat, "it ended"));
    this.#seats.add(seat);
    return seat;
  }

  #answered(seat: Seat, answer: Answer): void {
    const job = seat.job;
    if (job === undefined || job.message.id !== answer.id) return;
    if (answer.kind === "progress") {
      job.options.onProgress?.(answer.value);
      return;
    }
    seat.job = undefined;
    this.#settle(job, () => {
      if (answer.kind === "done") job.resolve(answer.value);
      else job.reject(fromRecord(answer.error));
    });
    const next = this.#queue.shift();
    if (next === undefined) this.#rest(seat);
    else this.#begin(seat, next);
  }

  #rest(seat: Seat): void {
    seat.worker.unref();
    if (this.#closed || this.#seats.size <= this.#options.keep) return;
    seat.retire = setTimeout(() => {
      if (seat.job === undefined && this.#seats.size > this.#options.keep) this.#close(seat);
    }, this.#options.idleMs);
    seat.retire.unref();
  }

  #close(seat: Seat): void {
    clearTimeout(seat.retire);
    this.#seats.delete(seat);
    seat.worker.terminate();
  }

  #died(seat: Seat, how: string): void {
    if (!this.#seats.delete(seat)) return;
    clearTimeout(seat.retire);
    seat.worker.terminate();
    const job = seat.job;
    if (job !== undefined) {
      this.#settle(job, () =>
        job.reject(
          new GantryError("internal", {
            doing: "finish the task",
            on: job.message.task,
            because: `the ${this.#options.name} Worker died: ${how}`,
          }),
        ),
      );
    }
    this.#dispatch();
  }

  #abort(job: Job): void {
    Atomics.store(new Int32Array(job.message.flag), 0, 1);
    const at = this.#queue.indexOf(job);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#settle(job, () => job.reject(this.#cancelled(job.message.task, "it was aborted before it began")));
  }

  #settle(job: Job, finish: () => void): void {
    job.forget();
    finish();
    this.#afterwards.get(job)?.();
    this.#afterwards.delete(job);
  }

  #cancelled(task: string, because: string): GantryError {
    return new GantryError("cancelled", { doing: "run the task", on: task, because });
  }
}
