/**
 * The closed table of error kinds. Every error that crosses a room's border is one of these; each protocol at the
 * edge maps them in one exhaustive record.
 */
export const errorKinds = [
  "not-found",
  "conflict",
  "invalid",
  "denied",
  "unauthenticated",
  "unavailable",
  "exhausted",
  "cancelled",
  "corrupt",
  "unsupported",
  "internal",
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** What an error says: what was attempted, on what, what is the state now, what to do next. */
export interface ErrorParts {
  /** The action in the infinitive, lower case: "pull the image". */
  readonly doing: string;
  /** The thing it was done to, as the user wrote it. */
  readonly on?: string;
  /** The state that stopped it, a clause without a full stop: "the registry answers 404". */
  readonly because: string;
  /** The next step, a whole sentence with its full stop. */
  readonly next?: string;
  readonly cause?: unknown;
  /** Machine-readable extras for a protocol edge (a registry's error code, a line number). */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error of the closed table. `message` reads: Cannot <doing> "<on>": <because>. <next> */
export class GantryError extends Error {
  override readonly name = "GantryError";
  readonly kind: ErrorKind;
  readonly parts: ErrorParts;

  constructor(kind: ErrorKind, parts: ErrorParts) {
    super(sentence(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.kind = kind;
    this.parts = parts;
  }
}

function sentence(parts: ErrorParts): string {
  const on = parts.on === undefined ? "" : ` "${parts.on}"`;
  const next = parts.next === undefined ? "" : `. ${parts.next}`;
  return `Cannot ${parts.doing}${on}: ${parts.because}${next}`;
}

/** Whether `error` is a {@link GantryError}, of `kind` when one is given. */
export function isKind(error: unknown, kind?: ErrorKind): error is GantryError {
  return error instanceof GantryError && (kind === undefined || error.kind === kind);
}

/** One line saying what went wrong, whatever was thrown, with the causes joined. */
export function describe(error: unknown): string {
  if (error instanceof GantryError && error.parts.next !== undefined) return error.message;
  if (error instanceof Error) {
    const cause = error.cause === undefined ? "" : ` (${describe(error.cause)})`;
    return `${error.message}${cause}`;
  }
  return String(error);
}

/** An error as plain data, to cross a Worker or a process. Nothing is lost but prototypes. */
export interface ErrorRecord {
  readonly kind: ErrorKind;
  readonly parts: Omit<ErrorParts, "cause">;
  readonly stack?: string;
  readonly cause?: string;
}

export function toRecord(error: unknown): ErrorRecord {
  if (error instanceof GantryError) {
    const { cause, ...parts } = error.parts;
    return {
      kind: error.kind,
      parts,
      ...(error.stack === undefined ? {} : { stack: error.stack }),
      ...(cause === undefined ? {} : { cause: describe(cause) }),
    };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return {
    kind: "internal",
    parts: { doing: "finish the work", because: describe(error) },
    ...(stack === undefined ? {} : { stack }),
  };
}

export function fromRecord(record: ErrorRecord): GantryError {
  const cause = record.cause === undefined ? undefined : new Error(record.cause);
  const error = new GantryError(record.kind, cause === undefined ? record.parts : { ...record.parts, cause });
  if (record.stack !== undefined) error.stack = record.stack;
  return error;
}
