import { describe, type ErrorKind, GantryError } from "#base/core/errors.ts";

/** The specification's error codes (distribution-spec, "Error Codes"). */
export type Code =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  | "UNKNOWN";

export function refuse(status: number, code: Code, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers });
}

const byKind: Readonly<Record<ErrorKind, readonly [number, Code]>> = {
  "not-found": [404, "BLOB_UNKNOWN"],
  conflict: [409, "BLOB_UPLOAD_INVALID"],
  invalid: [400, "MANIFEST_INVALID"],
  denied: [403, "DENIED"],
  unauthenticated: [401, "UNAUTHORIZED"],
  unavailable: [503, "UNKNOWN"],
  exhausted: [507, "UNKNOWN"],
  cancelled: [499, "UNKNOWN"],
  // What a client sent wrong is refused where it is found; this is our own damaged content.
  corrupt: [500, "UNKNOWN"],
  unsupported: [415, "UNSUPPORTED"],
  internal: [500, "UNKNOWN"],
};

/** Whatever was thrown, as an answer of the specification's form. */
export function failureAnswer(error: unknown): Response {
  const [status, code] = error instanceof GantryError ? byKind[error.kind] : byKind.internal;
  return refuse(status, code, describe(error));
}
