import { GantryError, toRecord } from "#base/core/errors.ts";
import { documentLimit } from "#formats/oci/contract.ts";
import { HashedFile } from "#images/store/hashed-file.ts";
import { sendFile } from "../bytes.ts";
import { receive } from "../receive.ts";
import { EarlyBody } from "./early-body.ts";
import { type Call, type FromWorker, packAnswer, type Received, type ToWorker, unpackAnswer } from "./messages.ts";

declare const self: {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
};

interface Connection {
  readonly headers: Headers;
  readonly body: EarlyBody | null;
  readonly stop: AbortController;
  readonly answer: (response: Response) => void;
}

const connections = new Map<number, Connection>();
const servers = new Map<string, ReturnType<typeof Bun.serve>>();
const files = new Map<number, HashedFile>();
let lastRequest = 0;

/** Makes this Worker the registry's door: connections, hashes and files are here, decisions are the engine's. */
export function serveConnections(): void {
  self.onmessage = ({ data }) => {
    if (data.kind === "call") void answer(data.id, data.call);
    else if (data.kind === "stop") connections.get(data.request)?.stop.abort();
    else {
      const { file, ...rest } = data.answer;
      const response =
        file === undefined
          ? unpackAnswer(rest)
          : sendFile(file.path, file.range, { ...rest, headers: headersOf(rest) });
      connections.get(data.request)?.answer(response);
    }
  };
}

function headersOf({ headers }: { readonly headers: readonly (readonly [string, string])[] }): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}

async function answer(id: number, call: Call): Promise<void> {
  try {
    self.postMessage({ kind: "done", id, value: await perform(call) });
  } catch (error) {
    self.postMessage({ kind: "failed", id, error: toRecord(error) });
  }
}

async function perform(call: Call): Promise<unknown> {
  switch (call.do) {
    case "listen":
      return listen(call.hostname, call.port);
    case "close": {
      const address = `${call.hostname} ${call.port}`;
      const server = servers.get(address);
      servers.delete(address);
      return server?.stop(true);
    }
    case "open": {
      const file = await HashedFile.open(call.path, call.algorithm);
      files.set(call.file, file);
      return file.offset;
    }
    case "receive":
      return receiveInto(opened(call.file), call);
    case "finish":
      return opened(call.file).finish();
    case "release":
      files.get(call.file)?.close();
      files.delete(call.file);
      return undefined;
  }
}

function listen(hostname: string, port: number): number {
  let server: ReturnType<typeof Bun.serve>;
  try {
    server = Bun.serve({
      hostname,
      port,
      idleTimeout: 0,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request) => ask(request),
    });
  } catch (cause) {
    throw new GantryError("conflict", {
      doing: "serve the registry at",
      on: `${hostname}:${port}`,
      because: "the address is taken or not of this machine",
      next: "Choose another port with --address.",
      cause,
    });
  }
  servers.set(`${hostname} ${server.port}`, server);
  return server.port!;
}

async function ask(request: Request): Promise<Response> {
  const id = ++lastRequest;
  const answered = Promise.withResolvers<Response>();
  const { method, url, headers } = request;
  const { pathname } = new URL(url);
  const early = pathname.includes("/blobs/uploads") && request.body !== null;
  connections.set(id, {
    headers,
    body: early ? new EarlyBody(request.body.getReader()) : null,
    stop: new AbortController(),
    answer: answered.resolve,
  });
  try {
    const body = method === "PUT" && /\/manifests\/[^/]*$/.test(pathname) ? await smallBody(request) : undefined;
    const asked = { kind: "request", request: id, method, url, headers: [...headers] } as const;
    self.postMessage(body === undefined ? asked : { ...asked, body });
    return await answered.promise;
  } finally {
    connections.delete(id);
  }
}

/** A manifest's bytes, up to one more than it may have; one that announces more is refused by its header. */
async function smallBody(request: Request): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > documentLimit) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > documentLimit) break;
  }
  return Buffer.concat(chunks);
}

async function receiveInto(file: HashedFile, call: Extract<Call, { do: "receive" }>): Promise<Received> {
  const connection = connections.get(call.request);
  if (connection === undefined)
    throw new GantryError("cancelled", { doing: "receive the upload", because: "its connection is gone" });
  let told = 0;
  const onBytes = () => {
    const now = performance.now();
    if (now - told < 1000) return;
    told = now;
    self.postMessage({ kind: "heard", request: call.request });
  };
  const { headers, body, stop } = connection;
  const sent = { headers, body: body === null ? null : { getReader: () => body } };
  const refusal = await receive(sent, file, call.range, stop.signal, onBytes);
  return { offset: file.offset, ...(refusal === undefined ? {} : { refusal: await packAnswer(refusal) }) };
}

function opened(file: number): HashedFile {
  const found = files.get(file);
  if (found !== undefined) return found;
  throw new GantryError("internal", { doing: "write the upload", because: "the registry's Worker does not hold it" });
}
