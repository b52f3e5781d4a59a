import type { Clock } from "#base/core/clock.ts";
import { type ErrorKind, GantryError, isKind } from "#base/core/errors.ts";
import type { Answer, Asked } from "./answer.ts";
import type { Authorisation } from "./authorisation.ts";
import { type WireRequest, wire } from "./wire.ts";

const redirects = 5;
const tries = 4;
/** A token may be refused once for its age and once for its scope. */
const challenges = 2;
const longestWaitSeconds = 60;
const retried = new Set([408, 429, 500, 502, 503, 504]);
const redirected = new Set([301, 302, 303, 307, 308]);

export interface ExchangeRequest extends Asked {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called anew for each try. */
  readonly body?: () => ReadableStream<Uint8Array> | Uint8Array;
  readonly signal?: AbortSignal;
  /** Statuses that are answers, not errors. */
  readonly accept: readonly number[];
  /** False: what fails on the way is the caller's to begin anew. */
  readonly again?: boolean;
}

const kindByStatus: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "denied",
  404: "not-found",
  405: "unsupported",
  413: "exhausted",
  416: "invalid",
};

/** One exchange with a registry: answers challenges, follows redirects without leaking credentials, tries again. */
export async function exchange(request: ExchangeRequest, authorisation: Authorisation, clock: Clock): Promise<Answer> {
  const most = request.again === false ? 1 : tries;
  let challenged = 0;
  for (let attempt = 1; ; ) {
    const used = authorisation.headerFor(request.url);
    let answer: Answer;
    try {
      answer = await follow(request, authorisation, clock);
    } catch (error) {
      if (!isKind(error, "unavailable") || error.parts.details?.final === true || attempt >= most) throw error;
      await clock.sleep(pause(attempt++), request.signal);
      continue;
    }
    if (request.accept.includes(answer.status)) return answer;
    // Another host's challenge is not the registry's: nobody's credentials are for it.
    if (answer.status === 401 && challenged < challenges && authorisation.isOwn(answer.url)) {
      challenged += 1;
      let answered = false;
      try {
        answered = await authorisation.answer(answer, used, request.signal);
      } catch (error) {
        await answer.drop();
        throw error;
      }
      if (answered) {
        await answer.drop();
        continue;
      }
    }
    const after = retryAfter(answer.headers.get("retry-after"), clock.now());
    if (!retried.has(answer.status) || attempt >= most || (after ?? 0) > longestWaitSeconds)
      throw await refused(request, answer, after);
    await answer.drop();
    await clock.sleep(after === undefined ? pause(attempt) : after * 1000, request.signal);
    attempt += 1;
  }
}

/** Milliseconds before the next try: 0.1, 0.4, 1.6 s. */
function pause(attempt: number): number {
  return 100 * 4 ** (attempt - 1);
}

/** Seconds (RFC 9110, 10.2.3: a number of them, or a date). */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds));
}

/** A download may be sent on to other hosts, an upload only as it is; credentials stay with the registry. */
async function follow(request: ExchangeRequest, authorisation: Authorisation, clock: Clock): Promise<Answer> {
  const { method, doing, on, signal } = request;
  const reads = method === "GET" || method === "HEAD";
  let { url } = request;
  for (let hop = 0; ; hop += 1) {
    const header = authorisation.headerFor(url);
    const body = request.body?.();
    const answer = await wire(
      {
        method,
        url,
        doing,
        on,
        machineLoopback: authorisation.machineLoopback,
        headers: { ...request.headers, ...(header === undefined ? {} : { Authorization: header }) },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      } satisfies WireRequest,
      clock,
    );
    const location = answer.headers.get("location");
    if (!redirected.has(answer.status) || location === null) return answer;
    await answer.drop();
    const sameMethod = reads || answer.status === 307 || answer.status === 308;
    const next = nextUrl(location, url);
    const because =
      next === undefined
        ? "the registry sends us to what is no URL"
        : hop >= redirects
          ? "the registry sends us on and on"
          : !sameMethod
            ? `the registry answers an upload with ${answer.status}`
            : isLessSafe(url, next)
              ? `the registry redirects to ${next.origin}, without TLS`
              : undefined;
    if (because !== undefined) throw new GantryError("denied", { doing, on, because });
    url = next!.href;
  }
}

function nextUrl(location: string, base: string): URL | undefined {
  return URL.canParse(location, base) ? new URL(location, base) : undefined;
}

/** Whether bytes that travel with TLS would go on without it, or to what is no web address at all. */
export function isLessSafe(from: string, to: URL): boolean {
  return !/^https?:$/.test(to.protocol) || (new URL(from).protocol === "https:" && to.protocol !== "https:");
}

async function refused(request: ExchangeRequest, answer: Answer, after: number | undefined): Promise<GantryError> {
  const words = errorWords(await answer.beginning(4096));
  const next =
    answer.status === 401
      ? "Log in first: gantry login"
      : after === undefined || !retried.has(answer.status)
        ? undefined
        : `Try again in ${after} seconds.`;
  return new GantryError(kindByStatus[answer.status] ?? "unavailable", {
    doing: request.doing,
    on: request.on,
    because: `the registry answers ${answer.status}${words === "" ? "" : ` (${words})`}`,
    ...(next === undefined ? {} : { next }),
    details: { status: answer.status },
  });
}

/** The distribution specification's error body, as words fit for a terminal. */
function errorWords(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    const words = (errors ?? []).map((error) => `${error.message ?? error.code ?? ""}`).join("; ");
    return words.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ").slice(0, 500);
  } catch {
    // A proxy's page instead of the registry's JSON: its status says enough.
    return "";
  }
}
