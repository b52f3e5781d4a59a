import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/core/clock.ts";
import { parseReference } from "#formats/oci/reference.ts";
import type { Credentials, Repository, RepositoryOptions } from "../contract.ts";
import { openRepository } from "../repository.ts";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | null;
  readonly range: string | null;
  readonly body: string;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** "127.0.0.1:PORT". */
  readonly domain: string;
  readonly seen: Seen[];
}

/** A server on loopback that remembers who asked for what. */
export function serve(answer: (seen: Seen, request: Request) => Response | Promise<Response>): TestServer {
  const seen: Seen[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const here: Seen = {
        method: request.method,
        path: url.pathname,
        query: url.searchParams,
        authorization: request.headers.get("authorization"),
        range: request.headers.get("range"),
        body: await request.text(),
      };
      seen.push(here);
      return answer(here, request);
    },
  });
  const port = server.port!;
  return { port, domain: `127.0.0.1:${port}`, seen, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** A repository "team/app" at a test server. */
export function repositoryAt(
  domain: string,
  options: Partial<RepositoryOptions> & { readonly credentials?: Credentials; readonly clock?: Clock } = {},
): Repository {
  const { clock, ...more } = options;
  const reference = parseReference(`${domain}/team/app`);
  return openRepository({ reference, actions: ["pull"], ...more }, clock ?? systemClock);
}

/** Pauses before another try take no time and are remembered; patience is real. */
export class HastyClock implements Clock {
  readonly pauses: number[] = [];
  now = systemClock.now;
  monotonic = systemClock.monotonic;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms > 59_000) return systemClock.sleep(ms, signal);
    this.pauses.push(ms);
    return Promise.resolve();
  }
}

/** A thousand times faster than the wall's. */
export const fastClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 1000,
  sleep: (ms, signal) => systemClock.sleep(ms / 1000, signal),
};

export interface DockerRegistry extends AsyncDisposable {
  readonly domain: string;
}

/** Debian's docker-registry on loopback, with basic authentication when users are given. */
export async function startDockerRegistry(users: Readonly<Record<string, string>> = {}): Promise<DockerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "docker-registry-"));
  const lines = [
    "version: 0.1",
    "log: {level: info, formatter: json, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`,
    "http: {addr: '127.0.0.1:0'}",
  ];
  const names = Object.entries(users);
  if (names.length > 0) {
    const hash = (password: string) => Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 });
    writeFileSync(join(folder, "users"), names.map(([name, password]) => `${name}:${hash(password)}\n`).join(""));
    lines.push(`auth: {htpasswd: {realm: test, path: ${folder}/users}}`);
  }
  writeFileSync(join(folder, "config.yml"), `${lines.join("\n")}\n`);
  const child = Bun.spawn(["docker-registry", "serve", join(folder, "config.yml")], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", OTEL_TRACES_EXPORTER: "none" },
  });
  const end = async () => {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const domain = await listeningAddress(child.stderr);
    return { domain, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function listeningAddress(log: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const reader = log.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`docker-registry ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1];
    if (address === undefined) continue;
    // It must not block on a full pipe later.
    void reader.closed.catch(() => undefined);
    drain(reader).catch(() => undefined);
    return address;
  }
}

async function drain(reader: { read(): Promise<{ readonly done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}
