import type { Clock } from "#base/core/clock.ts";
import { isLoopback, throughMachine } from "./address.ts";
import { Answer, type Asked, silenceMs } from "./answer.ts";
import { Patience } from "./patience.ts";
import { unreachable } from "./unreachable.ts";

/** A registry may hash a whole layer before it answers. */
const afterBodyMs = 600_000;

export interface WireRequest extends Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | URLSearchParams | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly machineLoopback?: string | undefined;
}

/** One request, one answer: no redirects, no second try. Error "unavailable". */
export async function wire(request: WireRequest, clock: Clock): Promise<Answer> {
  const { method, url, body, signal } = request;
  const patience = new Patience(clock, silenceMs, signal);
  try {
    const there = throughMachine(url, request.machineLoopback);
    const init = {
      method,
      // Bytes must come as their digest says, not in a coding that someone on the way chose.
      headers: { "User-Agent": "gantry", "Accept-Encoding": "identity", ...there.headers, ...request.headers },
      decompress: false,
      redirect: "manual",
      signal: patience.signal,
      timeout: false,
      ...(body === undefined ? {} : { body: body instanceof ReadableStream ? watched(body, patience) : body }),
      // A proxy has its own loopback: the environment's is for other hosts, as in docker and curl.
      ...(isLoopback(new URL(url).hostname) ? { proxy: false } : {}),
    };
    const response = await fetch(there.url, init as unknown as BunFetchRequestInit);
    patience.touch(silenceMs);
    return new Answer(response, url, patience, { doing: request.doing, on: request.on });
  } catch (cause) {
    patience[Symbol.dispose]();
    signal?.throwIfAborted();
    throw unreachable({ doing: request.doing, on: request.on }, url, cause, patience.ranOut);
  }
}

/** As long as the other side takes bytes it is alive. */
function watched(body: ReadableStream<Uint8Array>, patience: Patience): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await reader.read();
      patience.touch(done ? afterBodyMs : silenceMs);
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
