/** What the engine's thread and the registry's Worker say to each other. A request's number is the Worker's. */
import type { ErrorRecord } from "#base/core/errors.ts";
import type { DigestAlgorithm } from "#formats/oci/contract.ts";
import type { ByteRange } from "../content-range.ts";

export interface PackedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
  /** Instead of a body: part of a file. */
  readonly file?: { readonly path: string; readonly range?: ByteRange };
}

/** Each is answered once, by "done" or "failed" of the same number. */
export type Call =
  /** Gives the port. */
  | { readonly do: "listen"; readonly hostname: string; readonly port: number }
  | { readonly do: "close"; readonly hostname: string; readonly port: number }
  /** Opens the file as `file`; gives its offset. */
  | { readonly do: "open"; readonly file: number; readonly path: string; readonly algorithm: DigestAlgorithm }
  /** Gives {@link Received}. */
  | { readonly do: "receive"; readonly file: number; readonly request: number; readonly range?: ByteRange }
  /** Gives digest and size of what is on disk. */
  | { readonly do: "finish"; readonly file: number }
  | { readonly do: "release"; readonly file: number };

export interface Received {
  readonly offset: number;
  readonly refusal?: PackedAnswer;
}

export type ToWorker =
  | { readonly kind: "call"; readonly id: number; readonly call: Call }
  | { readonly kind: "answer"; readonly request: number; readonly answer: PackedAnswer }
  /** Ends the receiving from a request early. */
  | { readonly kind: "stop"; readonly request: number };

export interface Asked {
  readonly kind: "request";
  readonly request: number;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  /** A manifest's; an upload's bytes stay in the Worker. */
  readonly body?: Uint8Array;
}

export type FromWorker =
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorRecord }
  | Asked
  /** Bytes came from this request; said once a second at most. */
  | { readonly kind: "heard"; readonly request: number };

export async function packAnswer(response: Response): Promise<PackedAnswer> {
  const { status, headers, body } = response;
  return { status, headers: [...headers], ...(body === null ? {} : { body: await response.bytes() }) };
}

export function unpackAnswer({ status, headers, body }: PackedAnswer): Response {
  return new Response((body ?? null) as Uint8Array<ArrayBuffer> | null, {
    status,
    headers: headers as [string, string][],
  });
}
