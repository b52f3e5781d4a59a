import { readlinkSync, writeSync } from "node:fs";
import { defaultPlaces } from "#base/core/places.ts";
import { requirePrivate } from "#base/core/private-folder.ts";
import type { Client } from "#client/contract.ts";
import { createClient } from "#client/http-client.ts";
import { clientTls } from "./client-tls.ts";
import type { Context, Terminal } from "./contract.ts";
import { startEngine } from "./engine-process.ts";

export function createContext(hostFlag: string | undefined): Context {
  const env = process.env;
  const uid = process.getuid?.() ?? 0;
  const places = defaultPlaces(env, uid);
  const ownSocket = `unix://${places.socket}`;
  const host = hostFlag ?? (env.GANTRY_HOST || ownSocket);
  const ask = host === ownSocket ? once(() => answers(places.socket)) : undefined;
  let connected: Promise<Client> | undefined;
  return {
    host,
    env,
    cwd: process.cwd(),
    stdout: terminal(1, env),
    stderr: terminal(2, env),
    client: () => {
      if (ask !== undefined && uid !== 0) requirePrivate(places.runRoot, uid);
      connected ??= connect(host, ask);
      return connected;
    },
    expectEngine: () => void ask?.(),
  };
}

function once<T>(work: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => {
    result ??= { value: work() };
    return result.value;
  };
}

/** An engine named by the user is not ours to start; our own starts when it does not answer. */
async function connect(host: string, ask: (() => Promise<boolean>) | undefined): Promise<Client> {
  if (ask !== undefined && !(await ask())) await startEngine();
  return createClient(host, host.startsWith("tcp:") ? clientTls(process.env) : undefined);
}

/** By the same way as every later request, so that the HTTP client's own start is behind us then. */
async function answers(path: string): Promise<boolean> {
  try {
    await fetch("http://localhost/_ping", { unix: path, method: "HEAD" });
    return true;
  } catch {
    // No file, or nobody behind it: both mean that there is no engine.
    return false;
  }
}

function terminal(fd: 1 | 2, env: Readonly<Record<string, string | undefined>>): Terminal {
  const isTerminal = leadsToTerminal(fd);
  return {
    isTerminal,
    colour: isTerminal && env.NO_COLOR === undefined && env.TERM !== "dumb",
    get columns() {
      return (isTerminal && (fd === 1 ? process.stdout : process.stderr).columns) || 80;
    },
    write(text) {
      writeAll(fd, typeof text === "string" ? Buffer.from(text) : text);
    },
  };
}

/** Asks the kernel by name: touching `process.stdout` loads the stream library, a quarter of a command's time. */
function leadsToTerminal(fd: number): boolean {
  try {
    return /^\/dev\/(pts\/\d+|tty\w*|console)$/.test(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    // Closed: then there is nobody to show anything to.
    return false;
  }
}

/** Synchronous, so that nothing is lost when the process exits right after. */
function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // The reader left (`gantry ps | head -1`): what remains is for nobody.
      if (code === "EPIPE") process.exit(141);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
