import { X509Certificate } from "node:crypto";
import { chmodSync, chownSync, existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, Server } from "node:http";
import { isIP } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { describe, GantryError } from "#base/core/errors.ts";
import type { Settings } from "#engine/settings.ts";
import { type Access, checkedAccess } from "./access.ts";
import { webGuard } from "./web-guard.ts";

/** One more address the API is served at, beside the engine's own socket. */
export interface AddressSpec {
  /** "unix:///path" or "tcp://HOST:PORT". */
  readonly address: string;
  readonly access: Access;
  /** Files; clients must show a certificate that `ca` signed. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Of a unix socket: permission bits (default 0600) and a group's id. */
  readonly mode?: number;
  readonly group?: number;
}

export interface ServedAddress extends AddressSpec {
  /** Why it is not served; it is tried again when the engine starts. */
  readonly failure?: string;
}

export interface Addresses extends AsyncDisposable {
  /** Errors: "invalid", "denied" (beyond loopback without TLS), "conflict" (taken), "not-found" (a file). */
  serve(spec: AddressSpec): Promise<ServedAddress>;
  list(): readonly ServedAddress[];
  stop(address: string): Promise<void>;
  /** Serves again what an earlier engine served. */
  resume(): Promise<void>;
}

type Make = (access: Access, guard?: (request: IncomingMessage) => void) => Server;

const key = "api.addresses";

/** `make` gives a server of the API that is not listening yet. */
export function openAddresses(settings: Settings, make: Make): Addresses {
  const live = new Map<string, AsyncDisposable>();
  const failures = new Map<string, string>();
  const saved = () => settings.get<AddressSpec[]>(key) ?? [];

  async function open(spec: AddressSpec): Promise<void> {
    live.set(spec.address, await listen(spec, make));
    failures.delete(spec.address);
  }

  return {
    async serve(asked) {
      const spec = { ...asked, access: checkedAccess(asked.access) };
      if (live.has(spec.address)) {
        throw new GantryError("conflict", {
          doing: "serve the API at",
          on: spec.address,
          because: "it is served there already",
          next: "Stop it first to change it.",
        });
      }
      await open(spec);
      settings.set(key, [...saved().filter(({ address }) => address !== spec.address), spec]);
      return spec;
    },
    list: () =>
      saved().map((spec) => {
        const failure = failures.get(spec.address);
        return failure === undefined ? spec : { ...spec, failure };
      }),
    async stop(address) {
      const rest = saved().filter((spec) => spec.address !== address);
      if (rest.length === saved().length) {
        throw new GantryError("not-found", {
          doing: "stop serving at",
          on: address,
          because: "nothing is served there",
        });
      }
      settings.set(key, rest);
      failures.delete(address);
      await live.get(address)?.[Symbol.asyncDispose]();
      live.delete(address);
    },
    async resume() {
      for (const spec of saved()) {
        if (live.has(spec.address)) continue;
        // One that is taken must not keep the engine from its own socket.
        await open(spec).catch((error: unknown) => failures.set(spec.address, describe(error)));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const one of live.values()) await one[Symbol.asyncDispose]();
      live.clear();
    },
  };
}

async function listen(spec: AddressSpec, make: Make): Promise<AsyncDisposable> {
  const unix = /^unix:\/\/(\/.+)$/.exec(spec.address)?.[1];
  const tcp = /^tcp:\/\/(\[[0-9a-f:.]+\]|[^:/]+):(\d{1,5})$/i.exec(spec.address);
  if (unix !== undefined) return await listenUnix(spec, unix, make);
  const host = tcp?.[1]?.replace(/^\[|\]$/g, "") ?? "";
  const port = Number(tcp?.[2]);
  if (tcp === null || port > 65_535) throw wrong(spec, "it is neither unix:///path nor tcp://HOST:PORT");
  const loopback = host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
  if (!loopback && spec.tls === undefined) {
    throw new GantryError("denied", {
      doing: "serve the API at",
      on: spec.address,
      because: "beyond this machine's loopback it is served with TLS only: who reaches it is root here",
      next: "Name --tlscacert, --tlscert and --tlskey.",
    });
  }
  const names = spec.tls === undefined ? [] : namesOf(readFile(spec.tls.cert));
  const http = make(spec.access, webGuard(names));
  const server = spec.tls === undefined ? http : withTls(http, spec.tls);
  await started(server, spec, (done) => server.listen(port, host, done));
  return closing(http, server);
}

async function listenUnix(spec: AddressSpec, path: string, make: Make): Promise<AsyncDisposable> {
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket()) throw wrong(spec, "a file that is no socket is there");
    // Of an engine that was killed: nobody else's, since it is in our own list or was asked for by name.
    rmSync(path);
  }
  const server = make(spec.access);
  // Nobody may connect in the moment before its mode is set.
  const before = process.umask(0o177);
  try {
    await started(server, spec, (done) => server.listen(path, done));
  } finally {
    process.umask(before);
  }
  if (spec.group !== undefined) chownSync(path, -1, spec.group);
  chmodSync(path, spec.mode ?? 0o600);
  return closing(server, server, path);
}

/** The peer is checked before a byte reaches the API's own server, which never sees the sockets of others. */
function withTls(http: Server, tls: NonNullable<AddressSpec["tls"]>): TlsServer {
  const server = createTlsServer(
    {
      ca: readFile(tls.ca),
      cert: readFile(tls.cert),
      key: readFile(tls.key),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      // The end of a program's input is not the end of its output.
      allowHalfOpen: true,
    },
    (socket) => {
      if (socket.authorized) http.emit("connection", socket);
      else socket.destroy();
    },
  );
  // A client that is refused, or breaks off, is no fault of the engine.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new GantryError("not-found", {
      doing: "read the certificate file",
      on: path,
      because: "it cannot be read",
      cause,
    });
  }
}

function namesOf(certificate: Buffer): string[] {
  const { subjectAltName = "" } = new X509Certificate(certificate);
  return subjectAltName.split(", ").flatMap((entry) => {
    const name = /^DNS:(.+)$/.exec(entry)?.[1]?.toLowerCase();
    return name === undefined || isIP(name) !== 0 ? [] : [name];
  });
}

function started(server: Server | TlsServer, spec: AddressSpec, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new GantryError(cause.code === "EADDRINUSE" ? "conflict" : "invalid", {
          doing: "serve the API at",
          on: spec.address,
          because: cause.code === "EADDRINUSE" ? "the address is taken" : cause.message,
          next: "Choose another address.",
          cause,
        }),
      );
    });
    begin(resolve);
  });
}

function closing(http: Server, server: Server | TlsServer, path?: string): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      server.close();
      if (path !== undefined) rmSync(path, { force: true });
    },
  };
}

function wrong(spec: AddressSpec, because: string): GantryError {
  return new GantryError("invalid", { doing: "serve the API at", on: spec.address, because });
}
