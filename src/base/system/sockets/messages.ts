import type { ErrorRecord } from "#base/core/errors.ts";

/** From the connector to its Worker. Sent through a port, then the eventfd is written to end the Worker's sleep. */
export type Request =
  | { readonly kind: "connect"; readonly id: number; readonly path: string }
  | { readonly kind: "write"; readonly id: number; readonly bytes: Uint8Array; readonly receipt: number }
  | { readonly kind: "credit"; readonly id: number; readonly bytes: number }
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "close"; readonly id: number }
  /** Report "ended" when this process has. */
  | { readonly kind: "process"; readonly id: number; readonly pid: number }
  /** Report "arrived" once the folder is watched, then whenever a file was renamed into it, after `work` was done. */
  | { readonly kind: "watch"; readonly id: number; readonly folder: string; readonly work?: string }
  | { readonly kind: "unwatch"; readonly id: number }
  /** Report "tables-deleted" from now on. */
  | { readonly kind: "tables" }
  | { readonly kind: "stop" };

export type Report =
  | { readonly kind: "open"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorRecord }
  | { readonly kind: "packet"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "wrote"; readonly id: number; readonly receipt: number; readonly error?: ErrorRecord }
  | { readonly kind: "ended"; readonly id: number }
  | { readonly kind: "arrived"; readonly id: number; readonly error?: ErrorRecord }
  | { readonly kind: "unwatched"; readonly id: number }
  | { readonly kind: "tables-deleted"; readonly names: readonly string[] }
  | { readonly kind: "stopped" };

export interface Hello {
  readonly port: MessagePort;
  readonly wake: number;
}
