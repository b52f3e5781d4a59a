import { createServer, type Http2Server, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import type { ConnectRouter, Transport } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { GantryError } from "#base/core/errors.ts";
import { piecesOf } from "./stream-pieces.ts";

/** Serves gRPC on connections that were something else before: each socket is an HTTP/2 connection from now on. */
export class GrpcServer {
  readonly #server: Http2Server;

  constructor(routes: (router: ConnectRouter) => void) {
    this.#server = createServer(connectNodeAdapter({ routes, connect: false, grpcWeb: false }));
  }

  /** Resolves when the connection is over. */
  serve(socket: Duplex): Promise<void> {
    const over = closed(socket);
    this.#server.emit("connection", socket);
    return over;
  }
}

/** setTimeout knows no longer time: a build may leave its session alone for hours. */
const never = 0x7fff_ffff;

/** The other side of the socket serves; calls go to it. There is no second connection when this one breaks. */
export function grpcClient(socket: Duplex): Transport {
  const baseUrl = "http://session";
  let taken = false;
  const createConnection = () => {
    if (taken || socket.destroyed) {
      throw new GantryError("unavailable", { doing: "call the client's session", because: "the client left" });
    }
    taken = true;
    return socket;
  };
  const connection = new Http2SessionManager(baseUrl, { idleConnectionTimeoutMs: never }, { createConnection });
  const sessionManager = {
    authority: connection.authority,
    notifyResponseByteRead: connection.notifyResponseByteRead.bind(connection),
    request: async (
      method: string,
      path: string,
      headers: OutgoingHttpHeaders,
      options?: Parameters<typeof connection.request>[3],
    ) => {
      const stream = await connection.request(method, path, apart(headers), options ?? {});
      const pieces = piecesOf(stream);
      return Object.assign(stream, { [Symbol.asyncIterator]: () => pieces });
    },
  };
  return createGrpcTransport({ baseUrl, sessionManager });
}

/**
 * Metadata of several values: gRPC wants a header line each, and Headers joins them. Values must be escaped, so that no
 * comma is theirs.
 */
export function listMetadata(name: string, values: readonly string[]): [string, string][] {
  if (values.length === 0) return [];
  return [[`${name}-encoded`, "1"], ...values.map((value): [string, string] => [name, encodeURIComponent(value)])];
}

function apart(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const lists = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" && `${name}-encoded` in headers ? [[name, value.split(", ")]] : [],
  );
  return { ...headers, ...Object.fromEntries(lists) };
}

export function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}
