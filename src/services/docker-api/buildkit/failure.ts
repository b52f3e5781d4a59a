import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, type ErrorKind, GantryError, isKind } from "#base/core/errors.ts";
import type { StepFailure } from "#build/contract.ts";
import { SourceSchema } from "./protos/errdefs.gen.ts";

/**
 * The closed table of kinds as gRPC's codes. Clients put a code's name before the message and try other ways at some
 * codes, so whatever a user is to read and mend goes as "unknown", as BuildKit's own failures do.
 */
const codeByKind: Readonly<Record<ErrorKind, Code>> = {
  "not-found": Code.Unknown,
  conflict: Code.Unknown,
  invalid: Code.Unknown,
  denied: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unknown,
  exhausted: Code.Unknown,
  cancelled: Code.Canceled,
  corrupt: Code.Unknown,
  unsupported: Code.Unknown,
  internal: Code.Unknown,
};

interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What went wrong as a client of BuildKit hears it; with the Dockerfile's place, from which it prints the lines. */
export function grpcFailure(error: unknown, source?: Source): ConnectError {
  if (error instanceof ConnectError) return error;
  const code = codeByKind[error instanceof GantryError ? error.kind : "internal"];
  const failure = new ConnectError(failureText(error), code, undefined, undefined, error);
  const line = error instanceof GantryError ? error.parts.details?.line : undefined;
  if (typeof line === "number" && source !== undefined) {
    const info = { filename: source.name, data: Uint8Array.from(source.bytes) };
    const value = create(SourceSchema, { info, ranges: [{ start: { line }, end: { line } }] });
    failure.details.push({ desc: SourceSchema, value });
  }
  return failure;
}

/** The same in one line, for the step that failed. */
export function failureText(error: unknown): string {
  if (isKind(error, "cancelled")) return "context canceled";
  if (!(error instanceof GantryError)) return describe(error);
  const details = error.parts.details as Partial<StepFailure> | undefined;
  if (typeof details?.exitCode === "number") {
    const command = details.command?.join(" ") ?? details.step ?? "";
    return `process ${JSON.stringify(command)} did not complete successfully: exit code: ${details.exitCode}`;
  }
  // The client prints the place's lines itself.
  return describe(error)
    .replace(`\n${details?.excerpt}`, "")
    .replace(/\n(?=\.)/g, "")
    .replace(/\n/g, " ");
}
