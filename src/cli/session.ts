import { describe, GantryError, isKind } from "#base/core/errors.ts";
import type { Client, RawConnection } from "#client/contract.ts";
import { demultiplex, jsonLines } from "#client/demultiplex.ts";
import type { ContainerWaitAnswer } from "#formats/docker/container.ts";
import type { Context } from "./contract.ts";
import { detachMatcher, parseDetachKeys } from "./detach-keys.ts";
import { rawTerminal, terminalSize } from "./raw-terminal.ts";

export interface SessionOptions {
  readonly id: string;
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly forwardSignals: boolean;
  readonly detachKeys: string | undefined;
  /** Start the container once everything is listening. */
  readonly start: boolean;
  /** The engine removes it at its end: wait for that, not only for the exit. */
  readonly removed: boolean;
}

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/** Joins this terminal to a container until it ends or the user detaches; gives the exit code. */
export async function attachSession(context: Context, client: Client, options: SessionOptions): Promise<number> {
  const path = `/containers/${options.id}`;
  // Wrong keys are said before anything starts.
  if (options.detachKeys !== undefined) parseDetachKeys(options.detachKeys);
  using connection = await client.hijack(`${path}/attach`, {
    query: { stream: 1, stdin: options.stdin ? 1 : 0, stdout: options.stdout ? 1 : 0, stderr: options.stderr ? 1 : 0 },
  });
  const waiting = new AbortController();
  const condition = options.removed ? "removed" : options.start ? "next-exit" : "not-running";
  // The wait must stand before the start, or a quick exit is missed; its head says that it does.
  const exit = client.stream("POST", `${path}/wait`, { query: { condition }, signal: waiting.signal });
  const answer = await exit;
  if (options.start) {
    try {
      await client.request("POST", `${path}/start`);
    } catch (error) {
      waiting.abort();
      throw error;
    }
  }
  const resize = async ({ rows, columns }: { rows: number; columns: number }) => {
    await client.request("POST", `${path}/resize`, { query: { h: rows, w: columns } });
  };
  using _signals = options.forwardSignals ? signalsOf(client, path, options.terminal) : undefined;
  const detached = await pump(context, connection, { ...options, resize });
  if (detached) {
    waiting.abort();
    return 0;
  }
  let result: ContainerWaitAnswer | undefined;
  for await (const line of jsonLines<ContainerWaitAnswer>(answer)) result ??= line;
  if (result?.Error !== undefined) context.stderr.write(`gantry: ${result.Error.Message}\n`);
  return exitCodeOf(result);
}

/** The exit code of a wait. Errors: "unavailable" when the engine could not tell it. */
export function exitCodeOf(answer: ContainerWaitAnswer | undefined): number {
  if (typeof answer?.StatusCode === "number") return answer.StatusCode;
  const said = (answer as { error?: unknown } | undefined)?.error;
  throw new GantryError("unavailable", {
    doing: "wait for the container",
    because: typeof said === "string" ? said : "the engine did not tell its exit code",
    next: "See 'gantry ps -a'.",
  });
}

export interface PumpOptions {
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly detachKeys: string | undefined;
  readonly resize: (size: { rows: number; columns: number }) => Promise<void>;
}

/** Moves bytes both ways until the output ends; true when the user typed the detach keys. */
export async function pump(context: Context, connection: RawConnection, options: PumpOptions): Promise<boolean> {
  const isTerminal = options.terminal && context.stdout.isTerminal;
  using _raw = options.stdin && isTerminal ? rawTerminal() : undefined;
  const onResize = () => {
    const size = terminalSize();
    // The program may have ended between the key and the call.
    if (size !== undefined) options.resize(size).catch(() => undefined);
  };
  if (isTerminal) {
    onResize();
    process.on("SIGWINCH", onResize);
  }
  const detached = Promise.withResolvers<true>();
  const input = options.stdin ? sendInput(connection, options, () => detached.resolve(true)) : undefined;
  try {
    const output = receiveOutput(context, connection, options.terminal);
    return await Promise.race([output.then(() => false), detached.promise]);
  } finally {
    process.off("SIGWINCH", onResize);
    input?.stop();
  }
}

async function receiveOutput(context: Context, connection: RawConnection, terminal: boolean): Promise<void> {
  if (terminal || !connection.multiplexed) {
    for await (const bytes of connection.input) context.stdout.write(bytes);
    return;
  }
  for await (const piece of demultiplex(connection.input)) {
    (piece.stream === "stderr" ? context.stderr : context.stdout).write(piece.bytes);
  }
}

function sendInput(connection: RawConnection, options: PumpOptions, onDetach: () => void): { stop(): void } {
  const matcher = options.terminal ? detachMatcher(options.detachKeys) : undefined;
  let chain: Promise<void> = Promise.resolve();
  const onData = (chunk: Buffer) => {
    const { send, detach } = matcher?.(chunk) ?? { send: chunk, detach: false };
    process.stdin.pause();
    chain = chain
      .then(() => connection.write(send))
      .then(
        () => {
          process.stdin.resume();
        },
        () => {
          // The container's side has closed; the output's end finishes the session.
          process.stdin.resume();
        },
      );
    if (detach) onDetach();
  };
  const onEnd = () => {
    void chain.then(() => connection.end());
  };
  process.stdin.on("data", onData);
  process.stdin.on("end", onEnd);
  process.stdin.resume();
  return {
    stop: () => {
      process.stdin.off("data", onData);
      process.stdin.off("end", onEnd);
      process.stdin.pause();
      // A file as standard input has no unref.
      if (typeof process.stdin.unref === "function") process.stdin.unref();
    },
  };
}

/** A terminal's own keys (Ctrl-C) reach a tty container as bytes; without one they go as signals. */
function signalsOf(client: Client, path: string, terminal: boolean): Disposable {
  const send = async (signal: string) => {
    try {
      await client.request("POST", `${path}/kill`, { query: { signal } });
    } catch (error) {
      // It ended meanwhile: there is nobody left to signal.
      if (!isKind(error, "conflict") && !isKind(error, "not-found")) throw error;
    }
  };
  return forwardSignals(send, terminal ? ["SIGINT"] : []);
}

/** Hands this process's signals on, but for those named. */
export function forwardSignals(send: (signal: string) => Promise<void>, without: readonly string[] = []): Disposable {
  let impatience = 0;
  const listeners = forwarded
    .filter((signal) => signal !== "SIGWINCH" && !without.includes(signal))
    .map((signal) => {
      const listener = () => {
        // A program that does not end on signals must not hold its user: the third time is for this process.
        impatience += signal === "SIGINT" || signal === "SIGTERM" ? 1 : 0;
        if (impatience === 3) {
          process.stderr.write("gantry: the program goes on; stop it with: gantry stop\n");
          process.exit(1);
        }
        send(signal).catch((error: unknown) => process.stderr.write(`gantry: ${describe(error)}\n`));
      };
      process.on(signal, listener);
      return { signal, listener };
    });
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}
