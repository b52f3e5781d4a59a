import { openRepository } from "#images/distribution/repository.ts";
import type { Store } from "#images/store/contract.ts";
import type { Transfer } from "./contract.ts";
import { pull } from "./pull.ts";
import { push } from "./push.ts";

export function createTransfer(store: Store): Transfer {
  return {
    pull: (reference, options = {}) => pull(store, openRepository, reference, options),
    push: (reference, options = {}) => push(store, openRepository, reference, options),
  };
}
