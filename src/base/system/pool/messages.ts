import type { ErrorRecord } from "#base/core/errors.ts";

/** To a Worker: one task. `flag[0]` turns 1 when the caller gives up. */
export interface RunMessage {
  readonly id: number;
  readonly task: string;
  readonly args: unknown;
  readonly flag: SharedArrayBuffer;
  readonly wantsProgress: boolean;
}

/** From a Worker, about task `id`. "done" and "failed" are each the last word on it. */
export type Answer =
  | { readonly kind: "progress"; readonly id: number; readonly value: unknown }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorRecord };
