import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { SolveResult, Wanted } from "./contract.ts";
import type { SolveRequest } from "./protos/control.gen.ts";
import { StatusLog } from "./status-log.ts";
import { BuildSteps } from "./steps.ts";

/** One build under the ref its client gave it, from its Solve to the end, then as a record. */
export class Job {
  readonly log = new StatusLog();
  readonly steps: BuildSteps;
  readonly created: number;
  /** What the client's own part of the frontend asked for, by the ref it was told. */
  readonly solves = new Map<string, Wanted>();
  /** What that part returned: one of the above, or nothing. */
  readonly returned = Promise.withResolvers<Wanted | undefined>();
  readonly request: SolveRequest;
  /** Known once it came; errors name its lines. */
  dockerfile: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  outcome: { readonly at: number; readonly result?: SolveResult; readonly error?: string } | undefined;

  constructor(request: SolveRequest, clock: Clock) {
    this.request = request;
    this.created = clock.now();
    this.steps = new BuildSteps(this.log, request.ref, clock);
    // A client that asks for no frontend's part never waits for it.
    this.returned.promise.catch(() => undefined);
  }
}

/** Finished builds that are remembered. */
const bound = 64;

export class Jobs {
  readonly #clock: Clock;
  readonly #jobs = new Map<string, Job>();
  readonly #watchers = new Set<(job: Job) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Errors: "conflict" the ref is taken. */
  open(request: SolveRequest): Job {
    if (request.ref === "" || this.#jobs.has(request.ref)) {
      throw new GantryError("conflict", { doing: "build", on: request.ref, because: "its ref is empty or taken" });
    }
    const job = new Job(request, this.#clock);
    this.#jobs.set(request.ref, job);
    this.#tell(job);
    return job;
  }

  end(job: Job, outcome: Omit<NonNullable<Job["outcome"]>, "at">): void {
    job.outcome = { at: this.#clock.now(), ...outcome };
    job.log.end();
    if (job.request.internal) this.#jobs.delete(job.request.ref);
    this.#tell(job);
    const finished = this.list().filter((candidate) => candidate.outcome !== undefined);
    for (const old of finished.slice(0, Math.max(0, finished.length - bound))) this.#jobs.delete(old.request.ref);
  }

  /** In the order they began. */
  list(): Job[] {
    return [...this.#jobs.values()];
  }

  forget(ref: string): void {
    if (this.#jobs.get(ref)?.outcome !== undefined) this.#jobs.delete(ref);
  }

  /** The job of a ref, which may be a moment away: clients ask for both at once. Errors: the signal's reason. */
  find(ref: string, signal: AbortSignal): Promise<Job> {
    return new Promise((resolve, reject) => {
      const known = this.#jobs.get(ref);
      if (known !== undefined) {
        resolve(known);
        return;
      }
      const settle = () => {
        stop();
        signal.removeEventListener("abort", fail);
      };
      const fail = () => {
        settle();
        reject(signal.reason);
      };
      const stop = this.watch((job) => {
        if (job.request.ref !== ref) return;
        settle();
        resolve(job);
      });
      signal.addEventListener("abort", fail, { once: true });
      if (signal.aborted) fail();
    });
  }

  /** Told of each job that begins or ends, until the function given back is called. */
  watch(watcher: (job: Job) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #tell(job: Job): void {
    for (const watcher of this.#watchers) watcher(job);
  }
}
