/**
 * BuildKit's protocol over the engine's own builder, so that buildx and compose are clients like any other.
 *
 * One build, as a client does it: it opens `/session`, on which the engine calls the client (files, credentials,
 * secrets), and `/grpc`, on which it calls the engine. There it asks for `Solve` and `Status` of one ref; buildx also
 * runs the frontend's part itself: it calls the bridge's `Solve`, which here only notes what to build, then `Return`.
 * The build begins when it is known what is wanted, and its steps are told to every `Status` of the ref.
 *
 * `protos/` holds what goes over the wire; `scripts/generate-protos.ts` makes the TypeScript.
 */
import type { Transport } from "@connectrpc/connect";
import type { BuildRequest } from "#build/contract.ts";

/** A client's session: what it serves, and for how long. */
export interface Session {
  readonly id: string;
  /** The other way round: calls made on it reach the client. */
  readonly transport: Transport;
  /** Whether the client said it serves "/package.Service/Method". */
  serves(method: string): boolean;
  /** Aborted when the client has left. */
  readonly gone: AbortSignal;
}

export interface Sessions {
  /** Error "conflict": the id is taken. Ends when `over` does. */
  hold(session: Session, over: Promise<void>): Promise<void>;
  /** Waits for a session that is still on its way. Errors: "not-found" when it does not come; the signal's reason. */
  find(id: string, signal: AbortSignal): Promise<Session>;
}

/** What the frontend's attributes ask for; where its files come from is apart, for they come over the session. */
export interface Wanted {
  readonly request: Omit<BuildRequest, "context" | "dockerfile" | "ignore">;
  /** The Dockerfile's name in the client's folder `dockerfileFolder`. */
  readonly dockerfile: string;
  readonly dockerfileFolder: string;
  readonly contextFolder: string;
  /** Sessions of other builds of the same command, by the folder they offer. */
  readonly sharedSessions: Readonly<Record<string, string>>;
  /** A context that the client reads from its standard input, asked for by this path. */
  readonly upload?: string;
  /** What was asked for and has no effect here. */
  readonly warnings: readonly string[];
}

/** Where a build's result goes. */
export type Output =
  | {
      readonly kind: "store";
      /** Normalised references. */
      readonly names: readonly string[];
      readonly push: boolean;
    }
  /** The files of the image, to the client: as one tar or into a folder. `index` is the client's name for it. */
  | { readonly kind: "tar" | "folder"; readonly index: number };

/** The answer to a client: keys of BuildKit's exporters. */
export type SolveResult = Readonly<Record<string, string>>;
