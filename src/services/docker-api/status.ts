import { describe, type ErrorKind, GantryError } from "#base/core/errors.ts";

/** The closed table of kinds as the Docker Engine API's status codes. */
const statusByKind: Readonly<Record<ErrorKind, number>> = {
  "not-found": 404,
  conflict: 409,
  invalid: 400,
  denied: 403,
  unauthenticated: 401,
  unavailable: 503,
  exhausted: 507,
  cancelled: 499,
  corrupt: 500,
  unsupported: 501,
  internal: 500,
};

export interface Failure {
  readonly status: number;
  readonly message: string;
  /** Beside Docker's own field, so that Gantry's client loses nothing. */
  readonly kind: ErrorKind;
}

/** What the client hears of whatever was thrown. */
export function failure(error: unknown): Failure {
  const kind = error instanceof GantryError ? error.kind : "internal";
  return { status: statusByKind[kind], message: describe(error), kind };
}
