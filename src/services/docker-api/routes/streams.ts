import { GantryError } from "#base/core/errors.ts";
import type { LogLine, OutputPiece, Stats } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import { flag } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { instant } from "../moment.ts";
import { joined, joinStreams, multiplexedStream, rawStream, written } from "../multiplex.ts";
import { statsShape } from "../shape/stats.ts";
import { acceptKey } from "../websocket.ts";

export function streamRoutes(engine: Engine): Route[] {
  return [
    { method: "POST", path: "/containers/:id/attach", handle: (call) => attach(engine, call) },
    { method: "GET", path: "/containers/:id/attach/ws", handle: (call) => attachWebSocket(engine, call) },
    { method: "GET", path: "/containers/:id/logs", handle: (call) => logs(engine, call) },
    { method: "GET", path: "/containers/:id/stats", handle: (call) => stats(engine, call) },
  ];
}

/** A WebSocket has messages already: both streams go into it as they are. */
async function attachWebSocket(engine: Engine, call: Call): Promise<Answer> {
  acceptKey(call.headers);
  return { ...(await attach(engine, call, true)), webSocket: true };
}

type Hijack = Extract<Answer, { readonly hijack: unknown }>;

async function attach(engine: Engine, call: Call, raw = false): Promise<Hijack> {
  const record = engine.containers.get(call.params.id!);
  const terminal = raw || record.config.process.terminal === true;
  const stream = flag(call.query, "stream");
  const stdin = stream && flag(call.query, "stdin") && record.config.openStdin === true;
  const stdout = flag(call.query, "stdout");
  const stderr = flag(call.query, "stderr");
  // Attached before the answer's head goes out, so that nothing written after it is missed.
  const attachment = stream ? await engine.containers.attach(record.id, { stdin, stdout, stderr }) : undefined;
  return {
    contentType: terminal ? rawStream : multiplexedStream,
    hijack: async (socket) => {
      if (flag(call.query, "logs")) {
        for await (const lines of engine.containers.logs(record.id, { stdout, stderr })) {
          await written(socket, joined(lines, !terminal));
        }
      }
      if (attachment !== undefined) await joinStreams(socket, attachment, { terminal, stdin });
    },
  };
}

function tailOf(call: Call): { tail?: number } {
  const text = call.query.get("tail");
  if (text === null || text === "" || text === "all") return {};
  const tail = Number(text);
  return Number.isInteger(tail) && tail >= 0 ? { tail } : {};
}

function logs(engine: Engine, call: Call): Answer {
  const stdout = flag(call.query, "stdout");
  const stderr = flag(call.query, "stderr");
  if (!stdout && !stderr) {
    throw new GantryError("invalid", {
      doing: "read the logs",
      because: "you must choose at least one stream",
      next: "Ask for stdout=1 or stderr=1.",
    });
  }
  const record = engine.containers.get(call.params.id!);
  const terminal = record.config.process.terminal === true;
  const since = instant(call, "since");
  const until = instant(call, "until");
  const timestamps = flag(call.query, "timestamps");
  // Before the answer's head: a refusal must have a status.
  const log = engine.containers.logs(record.id, {
    stdout,
    stderr,
    follow: flag(call.query, "follow"),
    signal: call.signal,
    ...tailOf(call),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  });
  return {
    status: 200,
    headers: { "Content-Type": terminal ? rawStream : multiplexedStream },
    stream: async (out) => {
      for await (const lines of log) {
        await out.write(joined(timestamps ? lines.map(stamped) : lines, !terminal));
      }
    },
  };
}

function stamped({ stream, timestamp, bytes }: LogLine): OutputPiece {
  return { stream, bytes: Buffer.concat([Buffer.from(`${inUtc(timestamp)} `), bytes]) };
}

/** conmon writes the machine's own time; Docker's clients read nanoseconds of UTC. */
function inUtc(timestamp: string): string {
  const fraction = /\.\d+/.exec(timestamp)?.[0] ?? "";
  return `${new Date(timestamp).toISOString().slice(0, 19)}${fraction}Z`;
}

/** One reading, or one a second while somebody watches. */
async function stats(engine: Engine, call: Call): Promise<Answer> {
  const record = engine.containers.get(call.params.id!);
  const oneShot = flag(call.query, "one-shot");
  const once = !flag(call.query, "stream", true) || oneShot;
  // Before the answer's head goes out: where nothing can be read, the answer is that.
  let reading = await engine.containers.stats(record.id);
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: async (out) => {
      let before: Stats | undefined;
      if (once && !oneShot) {
        // What the processors did is a difference: one answer takes two readings.
        before = reading;
        if (await pause(1000, call.signal)) return;
        reading = await engine.containers.stats(record.id);
      }
      while (!call.signal.aborted) {
        await out.write(`${JSON.stringify(statsShape(record.id, record.name, reading, before))}\n`);
        before = reading;
        if (once) return;
        if (await pause(1000, call.signal)) return;
        reading = await engine.containers.stats(record.id);
      }
    },
  };
}

/** True when the client left first. */
function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = () => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve(false);
    }, milliseconds);
    signal.addEventListener("abort", leave, { once: true });
  });
}
