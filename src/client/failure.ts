import { type ErrorKind, errorKinds, GantryError } from "#base/core/errors.ts";
import type { ErrorBody } from "#formats/docker/contract.ts";

const kindByStatus: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "denied",
  404: "not-found",
  409: "conflict",
  499: "cancelled",
  501: "unsupported",
  503: "unavailable",
  507: "exhausted",
};

/**
 * The engine's refusal as an error of the closed table. The engine's own sentence is the whole message: it says
 * already what was attempted and what to do next.
 */
export class EngineRefusal extends GantryError {
  readonly status: number;

  constructor(status: number, message: string, doing: string, kind: ErrorKind = kindByStatus[status] ?? "internal") {
    super(kind, { doing, because: message });
    this.status = status;
    this.message = message;
  }
}

export function refusal(status: number, body: string, doing: string): EngineRefusal {
  let message = body.trim();
  let kind: ErrorKind | undefined;
  try {
    const parsed = JSON.parse(body) as Partial<ErrorBody> | null;
    if (typeof parsed?.message === "string") message = parsed.message;
    kind = errorKinds.find((known) => known === parsed?.kind);
  } catch {
    // Not every engine answers JSON (a proxy between may not): then the body is the message.
    message = message === "" ? `the engine answers with status ${status}` : message;
  }
  return new EngineRefusal(status, message, doing, kind);
}

export function unreachable(host: string, cause: unknown): GantryError {
  return new GantryError("unavailable", {
    doing: "reach the engine at",
    on: host,
    because: "nothing answers there",
    next: "Start it with: gantry engine start",
    cause,
  });
}

const noConnection: readonly unknown[] = ["FailedToOpenSocket", "ConnectionRefused", "ENOENT", "ECONNREFUSED"];

/** What a failed exchange means: our own stream broke, nobody listens, or the engine left in the middle. */
export function lost(host: string, error: unknown, doing: string): GantryError {
  if (error instanceof GantryError) return error;
  if (noConnection.includes((error as { code?: unknown }).code)) return unreachable(host, error);
  return new GantryError("unavailable", {
    doing: `finish ${doing} at`,
    on: host,
    because: `the connection broke: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
