import { GantryError } from "#base/core/errors.ts";

export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** "127.0.0.1:5000", "[::1]:5000". Beyond loopback is refused: this first form has neither TLS nor users. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(\[[0-9a-f:]+\]|[^:]+):(\d{1,5})$/i.exec(text);
  if (match === null || Number(match[2]) > 65535) {
    throw new GantryError("invalid", {
      doing: "serve the registry at",
      on: text,
      because: "it is not of the form HOST:PORT",
      next: "For example: --address 127.0.0.1:5000",
    });
  }
  const hostname = match[1]!.replace(/^\[|\]$/g, "");
  if (hostname !== "localhost" && hostname !== "::1" && !/^127(\.\d{1,3}){3}$/.test(hostname)) {
    throw new GantryError("unsupported", {
      doing: "serve the registry at",
      on: text,
      because: "without TLS and users a registry is served on loopback only",
      next: "Use 127.0.0.1, and a proxy with TLS in front of it.",
    });
  }
  return { hostname, port: Number(match[2]) };
}

export function printListenAddress({ hostname, port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
