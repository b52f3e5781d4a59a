/**
 * The Docker Engine API v1.51 as data: the shapes both sides of the socket speak, with the API's own field names.
 * Types only; the engine's side fills them in `services/docker-api/`, the user's side reads them in `client/`.
 */
export const apiVersion = "1.51";
/** The oldest version a client may ask for. */
export const minApiVersion = "1.40";

/** The body of every error answer. */
export interface ErrorBody {
  readonly message: string;
  /** Gantry's own: the kind of the error (base/core/errors.ts). Other engines leave it out. */
  readonly kind?: string;
}

/** One line of a progress stream: image pull and push, build, load. */
export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
  readonly aux?: Readonly<Record<string, unknown>>;
}

/** One message of GET /events. */
export interface EventMessage {
  readonly Type: "container" | "image" | "network" | "volume" | "builder" | "daemon";
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: "local";
  /** Seconds since the epoch. */
  readonly time: number;
  readonly timeNano: number;
}
