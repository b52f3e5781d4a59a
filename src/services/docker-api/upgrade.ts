import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { GantryError } from "#base/core/errors.ts";
import type { Answer } from "./contract.ts";
import { failure } from "./status.ts";
import { acceptKey, webSocketStream } from "./websocket.ts";

type Upgrade = Extract<Answer, { readonly hijack: unknown } | { readonly h2c: unknown }>;

/** Lets through what can take over a socket. Error "invalid": the page and the client want different things. */
export function requireUpgrade(request: IncomingMessage): (answer: Answer) => Upgrade {
  return (answer) => {
    if (!("hijack" in answer || "h2c" in answer)) throw notThat(request, "this page has no stream behind it");
    if ("h2c" in answer && request.headers.upgrade?.toLowerCase() !== "h2c") {
      throw notThat(request, "it is only for connections that ask for Upgrade: h2c");
    }
    const webSocket = request.headers.upgrade?.toLowerCase() === "websocket";
    if ("hijack" in answer && webSocket !== (answer.webSocket === true)) {
      throw notThat(request, "this page and the client want different kinds of stream");
    }
    return answer;
  };
}

export function notThat(request: IncomingMessage, because: string): GantryError {
  return new GantryError("invalid", {
    doing: "upgrade the connection",
    on: `${request.method} ${request.url}`,
    because,
  });
}

export async function takeOver(
  request: IncomingMessage,
  socket: Duplex,
  answer: Upgrade,
  common: Readonly<Record<string, string>>,
): Promise<void> {
  const head = { ...common, Connection: "Upgrade", ...kindOf(request, answer) };
  socket.write(`HTTP/1.1 101 UPGRADED\r\n${headerLines(head)}\r\n`);
  const stream = "hijack" in answer && answer.webSocket ? webSocketStream(socket) : socket;
  try {
    await ("h2c" in answer ? answer.h2c(stream) : answer.hijack(stream));
  } finally {
    stream.end();
  }
}

function kindOf(request: IncomingMessage, answer: Upgrade): Readonly<Record<string, string>> {
  if ("h2c" in answer) return { Upgrade: "h2c" };
  if (answer.webSocket) return { Upgrade: "websocket", "Sec-WebSocket-Accept": acceptKey(request.headers) };
  return { Upgrade: "tcp", "Content-Type": answer.contentType };
}

export function refuseUpgrade(socket: Duplex, error: unknown, common: Readonly<Record<string, string>>): void {
  if (socket.destroyed) return;
  const { status, message, kind } = failure(error);
  const body = `${JSON.stringify({ message, kind })}\n`;
  // Closed after the answer: a refused upgrade must never leave a connection another request could ride on.
  const head = {
    ...common,
    "Content-Type": "application/json",
    "Content-Length": `${Buffer.byteLength(body)}`,
    Connection: "close",
  };
  socket.end(`HTTP/1.1 ${status} ${status === 404 ? "Not Found" : "Error"}\r\n${headerLines(head)}\r\n${body}`);
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}
