import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { openRepository } from "#images/distribution/repository.ts";
import type { Store } from "#images/store/contract.ts";
import type { Transfer } from "./contract.ts";
import { pull, type TransferParts } from "./pull.ts";
import { push } from "./push.ts";

/** `machineLoopback` as in `RepositoryOptions`. */
export function createTransfer(store: Store, clock: Clock = systemClock, machineLoopback?: string): Transfer {
  const surroundings = machineLoopback === undefined ? {} : { machineLoopback };
  const parts: TransferParts = {
    store,
    clock,
    open: (options) => openRepository({ ...options, ...surroundings }, clock),
  };
  return {
    pull: (reference, options = {}) =>
      cancellable("pull the image", reference, options.signal, pull(parts, reference, options)),
    push: (reference, options = {}) =>
      cancellable("push the image", reference, options.signal, push(parts, reference, options)),
  };
}

/** Whatever an abort threw on its way out, it is "cancelled". */
async function cancellable<T>(
  doing: string,
  on: string,
  signal: AbortSignal | undefined,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    throw new GantryError("cancelled", { doing, on, because: "it was cancelled", cause });
  }
}
