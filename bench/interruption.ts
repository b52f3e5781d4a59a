/** Ctrl-C and its like: what measures stops at its next step, then what was made is removed. */
const controller = new AbortController();

export function interrupt(): void {
  controller.abort(new Error("interrupted"));
}

export function isInterrupted(): boolean {
  return controller.signal.aborted;
}

export function throwIfInterrupted(): void {
  controller.signal.throwIfAborted();
}
