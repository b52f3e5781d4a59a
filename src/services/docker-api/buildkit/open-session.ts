import type { Duplex } from "node:stream";
import { GantryError } from "#base/core/errors.ts";
import type { Session } from "./contract.ts";
import { closed, grpcClient } from "./h2c.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The client's side of a connection that was opened for a session, and when it is over. */
export function openSession(socket: Duplex, headers: Headers): [Session, Promise<void>] {
  const gone = new AbortController();
  const over = closed(socket).then(() =>
    gone.abort(new GantryError("cancelled", { doing: "call the client's session", because: "the client left" })),
  );
  const methods = new Set(values(headers["x-docker-expose-session-grpc-method"]).map((name) => name.toLowerCase()));
  return [
    {
      id: values(headers["x-docker-expose-session-uuid"])[0] ?? "",
      transport: grpcClient(socket),
      serves: (method) => methods.has(method.toLowerCase()),
      gone: gone.signal,
    },
    over,
  ];
}

/** A header given several times arrives joined. */
function values(header: string | string[] | undefined): string[] {
  return [header ?? []].flat().flatMap((text) => text.split(",").map((value) => value.trim()));
}
