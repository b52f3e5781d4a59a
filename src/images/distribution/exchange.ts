import type { Clock } from "#base/core/clock.ts";
import { type ErrorKind, GantryError } from "#base/core/errors.ts";
import type { Authorisation } from "./authorisation.ts";

const redirects = 5;
const tries = 4;
const retried = new Set([408, 429, 500, 502, 503, 504]);

export interface ExchangeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called anew for each try. */
  readonly body?: () => ReadableStream<Uint8Array> | Uint8Array;
  readonly signal?: AbortSignal;
  /** Statuses that are answers, not errors. */
  readonly accept: readonly number[];
  readonly doing: string;
  readonly on: string;
}

const kindByStatus: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "denied",
  404: "not-found",
  405: "unsupported",
  413: "exhausted",
  416: "invalid",
  429: "unavailable",
};

/** One exchange with a registry: answers challenges, follows redirects without leaking credentials, tries again. */
export async function exchange(
  request: ExchangeRequest,
  authorisation: Authorisation,
  clock: Clock,
): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await attemptOnce(request, authorisation);
    if (request.accept.includes(response.status)) return response;
    if (response.status === 401 && attempt === 1 && (await authorisation.answer(response, request.signal))) {
      await drop(response);
      continue;
    }
    if (!retried.has(response.status) || attempt >= tries) throw await refused(request, response);
    const after = Number(response.headers.get("retry-after"));
    await drop(response);
    await clock.sleep(after > 0 && after <= 30 ? after * 1000 : 100 * 4 ** (attempt - 1), request.signal);
  }
}

async function drop(response: Response): Promise<void> {
  await response.body?.cancel();
}

async function attemptOnce(request: ExchangeRequest, authorisation: Authorisation): Promise<Response> {
  let url = request.url;
  const home = new URL(request.url);
  for (let hop = 0; ; hop += 1) {
    const here = new URL(url);
    const own = here.origin === home.origin;
    const header = authorisation.header;
    const response = await send(
      request,
      url,
      own && header !== undefined ? { ...request.headers, Authorization: header } : { ...request.headers },
    );
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await drop(response);
    const next = new URL(location, url);
    if (hop >= redirects || (here.protocol === "https:" && next.protocol !== "https:")) {
      throw new GantryError("denied", {
        doing: request.doing,
        on: request.on,
        because:
          hop >= redirects
            ? "the registry sends us on and on"
            : `the registry redirects to ${next.origin}, without TLS`,
      });
    }
    url = next.href;
  }
}

async function send(request: ExchangeRequest, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, {
      method: request.method,
      headers,
      redirect: "manual",
      ...(request.body === undefined ? {} : { body: request.body() as NonNullable<BunFetchRequestInit["body"]> }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      timeout: false,
    } as BunFetchRequestInit);
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw new GantryError("unavailable", {
      doing: request.doing,
      on: request.on,
      because: `no registry answers at ${new URL(url).origin}`,
      next: "Check the name, the network, and that the registry runs.",
      cause,
    });
  }
}

async function refused(request: ExchangeRequest, response: Response): Promise<GantryError> {
  const words = errorWords((await response.text()).slice(0, 4096));
  return new GantryError(kindByStatus[response.status] ?? "unavailable", {
    doing: request.doing,
    on: request.on,
    because: `the registry answers ${response.status}${words === "" ? "" : ` (${words})`}`,
    ...(response.status === 401 ? { next: "Log in first: gantry login" } : {}),
    details: { status: response.status },
  });
}

/** The distribution specification's error body, as words. */
function errorWords(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    return (errors ?? []).map((error) => error.message ?? error.code ?? "").join("; ");
  } catch {
    // A proxy's page instead of the registry's JSON: its status says enough.
    return "";
  }
}
