import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { GantryError } from "#base/core/errors.ts";
import { type Access, requireAccess } from "./access.ts";
import { makeCall } from "./call.ts";
import type { Answer, Out, Route } from "./contract.ts";
import { Router } from "./router.ts";
import { failure } from "./status.ts";
import { notThat, refuseUpgrade, requireUpgrade, takeOver } from "./upgrade.ts";
import { acceptKey } from "./websocket.ts";

export interface ListenerOptions {
  readonly routes: readonly Route[];
  /** Headers of every answer (Api-Version, Server). */
  readonly headers: Readonly<Record<string, string>>;
  /** Told of every error that is the engine's own ("internal", "corrupt"). */
  readonly onError: (error: unknown, what: string) => void;
  /** What its clients may do; default all. */
  readonly access?: Access;
  /** Over TCP: refuses requests a web page could have been tricked into sending. */
  readonly guard?: (request: IncomingMessage) => void;
}

/** Bytes, as Docker's: dockerode repeats a whole body in the query. */
const maxHeaderSize = 1024 * 1024;

/** An HTTP server speaking the routes; not yet listening. Time-outs are off: logs and events last for days. */
export function createListener(options: ListenerOptions): Server {
  const router = new Router(options.routes);
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, maxHeaderSize });
  server.timeout = 0;

  async function answer(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    options.guard?.(request);
    const url = new URL(request.url ?? "/", "http://engine");
    const match = router.match(request.method ?? "GET", url.pathname);
    requireAccess(options.access ?? { kind: "full" }, match.route.method, match.path);
    return await match.route.handle(makeCall(request, match, url.searchParams, signal));
  }

  function report(error: unknown, request: IncomingMessage): void {
    if (!(error instanceof GantryError) || error.kind === "internal" || error.kind === "corrupt") {
      options.onError(error, `${request.method} ${request.url}`);
    }
  }

  server.on("request", (request, response) => {
    const gone = new AbortController();
    response.on("close", () => {
      if (!response.writableFinished)
        gone.abort(new GantryError("cancelled", { doing: "answer", because: "the client left" }));
    });
    answer(request, gone.signal)
      .then((result) => send(request, response, result, options.headers))
      .catch((error: unknown) => {
        report(error, request);
        sendFailure(response, error, options.headers);
      });
  });

  server.on("upgrade", (request, socket) => {
    const gone = new AbortController();
    socket.on("close", () => gone.abort(new GantryError("cancelled", { doing: "answer", because: "the client left" })));
    socket.on("error", (error) => gone.abort(error));
    answer(request, gone.signal)
      .then(requireUpgrade(request))
      .then(
        (result) => takeOver(request, socket, result, options.headers),
        (error: unknown) => {
          report(error, request);
          refuseUpgrade(socket, error, options.headers);
        },
      )
      // The head has gone out: all that can be said is the end of the stream.
      .catch((error: unknown) => report(error, request));
  });
  return server;
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  common: Readonly<Record<string, string>>,
): Promise<void> {
  if ("h2c" in answer) throw notThat(request, "it is only for connections that ask for Upgrade: h2c");
  if ("hijack" in answer) {
    // Without the key there is no WebSocket: says so, with a status.
    if (answer.webSocket) acceptKey(request.headers);
    // No upgrade was asked for: the output goes out as a plain body, the request's body is the input.
    response.writeHead(200, { ...common, "Content-Type": answer.contentType });
    response.flushHeaders();
    await answer.hijack(joined(request, response));
    response.end();
    return;
  }
  const headers = { ...common, ...answer.headers };
  if ("stream" in answer) {
    response.writeHead(answer.status, headers);
    response.flushHeaders();
    await answer.stream(outOf(response));
    response.end();
    return;
  }
  if ("text" in answer) {
    response.writeHead(answer.status, { "Content-Type": "text/plain; charset=utf-8", ...headers });
    response.end(answer.text);
    return;
  }
  if (answer.json === undefined) {
    response.writeHead(answer.status, headers);
    response.end();
    return;
  }
  const body = Buffer.from(`${JSON.stringify(answer.json)}\n`);
  response.writeHead(answer.status, { "Content-Type": "application/json", "Content-Length": body.length, ...headers });
  response.end(body);
}

/** A request's body and its answer as the two directions of one stream. */
function joined(request: IncomingMessage, response: ServerResponse): Duplex {
  const stream = new Duplex({
    read: () => {
      request.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      if (response.destroyed || response.write(chunk)) done();
      else response.once("drain", () => done());
    },
    final: (done) => done(),
  });
  request.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) request.pause();
  });
  // A body that a handler has read already (an exec's start) has no end to come.
  if (request.readableEnded) stream.push(null);
  else request.on("end", () => stream.push(null));
  response.on("close", () => stream.destroy());
  if (response.destroyed) stream.destroy();
  return stream;
}

function outOf(response: ServerResponse): Out {
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (response.destroyed) {
          reject(new GantryError("cancelled", { doing: "answer", because: "the client left" }));
          return;
        }
        if (response.write(chunk)) resolve();
        else {
          const done = () => {
            response.off("drain", done);
            response.off("close", done);
            resolve();
          };
          response.on("drain", done);
          response.on("close", done);
        }
      }),
  };
}

function sendFailure(response: ServerResponse, error: unknown, common: Readonly<Record<string, string>>): void {
  if (response.destroyed) return;
  const { status, message, kind } = failure(error);
  if (response.headersSent) {
    // The answer has begun. A stream of JSON ends with the error as a line, as Docker's do; bytes (an archive, a log)
    // must not look whole: the connection breaks before the last chunk.
    if (response.getHeader("content-type") === "application/json") {
      response.end(`${JSON.stringify({ errorDetail: { message }, error: message })}\n`);
    } else response.destroy();
    return;
  }
  response.writeHead(status, { ...common, "Content-Type": "application/json" });
  response.end(`${JSON.stringify({ message, kind })}\n`);
}
