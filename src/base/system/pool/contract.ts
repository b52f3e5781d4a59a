/**
 * Work that may block runs in Workers, one task at a time each, with synchronous calls. The room that owns the work
 * declares a {@link Task} in its `tasks.ts`, implements it in a file that only a Worker loads, and the Worker's entry
 * file (`src/workers/`) serves it.
 */

/** A typed handle of work done in a Worker. Arguments and results cross by structured clone. */
export interface Task<A, R> {
  /** Unique in the program: "<room>.<verb>". */
  readonly name: string;
  /** Never set; carries the types. */
  readonly types?: (args: A) => R;
}

export function task<A, R>(name: string): Task<A, R> {
  return { name };
}

export interface RunOptions {
  /**
   * Aborted while queued: the task never runs. Aborted while running: `context.aborted()` becomes true, and `run`
   * settles when the task has really ended, so nothing it holds is left behind.
   */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: unknown) => void;
}

export interface WorkerPool extends AsyncDisposable {
  /**
   * Runs the task in the first free Worker; tasks wait in order of their calls.
   * Errors: whatever the task threw, as a GantryError; "cancelled" when aborted before it began or the pool closes;
   * "internal" when its Worker died.
   */
  run<A, R>(task: Task<A, R>, args: A, options?: RunOptions): Promise<R>;
  /** Starts one Worker ahead of the first task. */
  warm(): void;
}

/** What a task sees of its caller. */
export interface TaskContext {
  /** Whether the caller gave up. Cheap enough to ask in an inner loop; works inside synchronous code. */
  aborted(): boolean;
  /** Throws "cancelled" when the caller gave up. */
  check(): void;
  /** Hands one value to the caller's `onProgress`; send at most a few a second. */
  progress(value: unknown): void;
}

/** A task and what it does, types matched by {@link implement}. */
export interface Implementation {
  readonly name: string;
  readonly run: (args: unknown, context: TaskContext) => unknown;
}

/** Binds `run` to its handle. It may be synchronous or async; the Worker takes no other task meanwhile. */
export function implement<A, R>(
  handle: Task<A, R>,
  run: (args: A, context: TaskContext) => R | Promise<R>,
): Implementation {
  return { name: handle.name, run: (args, context) => run(args as A, context) };
}
