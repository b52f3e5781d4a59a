import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Answer } from "./answer.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { Credentials } from "./contract.ts";
import { wire } from "./wire.ts";

type BearerChallenge = Extract<Challenge, { scheme: "bearer" }>;

const tokenLimit = 64 * 1024;

export interface AuthorisationOptions {
  /** Scheme, host and port: credentials and tokens go nowhere else. */
  readonly origin: string;
  readonly credentials: Credentials | undefined;
  readonly scopes: readonly string[];
  readonly clock: Clock;
  readonly machineLoopback?: string | undefined;
}

/** Answers a registry's challenges: basic, or a bearer token from its realm, kept until it is refused. */
export class Authorisation {
  readonly #options: AuthorisationOptions;
  #header: string | undefined;
  #renewal: Promise<string | undefined> | undefined;

  constructor(options: AuthorisationOptions) {
    this.#options = options;
  }

  get machineLoopback(): string | undefined {
    return this.#options.machineLoopback;
  }

  isOwn(url: string): boolean {
    return new URL(url).origin === this.#options.origin;
  }

  /** What to send along to `url`: nothing to another host. */
  headerFor(url: string): string | undefined {
    return this.isOwn(url) ? this.#header : undefined;
  }

  /**
   * Makes a header for the next try after `used` was refused; false when there is nothing left to try. Requests that
   * are refused at the same time share one token.
   */
  async answer(challenged: Answer, used: string | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#header !== used) return true;
    const challenge = parseChallenge(challenged.headers.get("www-authenticate"), this.#options.origin);
    if (challenge === undefined) return false;
    this.#renewal ??= this.#next(challenge, signal).finally(() => {
      this.#renewal = undefined;
    });
    const next = await this.#renewal;
    if (next === undefined || next === used) return false;
    this.#header = next;
    return true;
  }

  async #next(challenge: Challenge, signal: AbortSignal | undefined): Promise<string | undefined> {
    return challenge.scheme === "basic" ? this.#basic() : `Bearer ${await this.#token(challenge, signal)}`;
  }

  #basic(): string | undefined {
    const { username, password } = this.#options.credentials ?? {};
    if (username === undefined || password === undefined) return undefined;
    return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }

  async #token(challenge: BearerChallenge, signal: AbortSignal | undefined): Promise<string> {
    const asked = { doing: "log in at", on: new URL(this.#options.origin).host };
    const answer = await this.#askRealm(challenge, signal);
    if (answer.status !== 200) {
      await answer.drop();
      const kind = answer.status === 403 ? "denied" : answer.status >= 500 ? "unavailable" : "unauthenticated";
      throw new GantryError(kind, {
        ...asked,
        because: `its token service answers ${answer.status}`,
        next: "Check the user name and the password: gantry login",
      });
    }
    const fields = parse(Buffer.from(await answer.bytes(tokenLimit, signal)).toString("utf8"));
    const token = fields.token ?? fields.access_token;
    if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
    throw new GantryError("unavailable", { ...asked, because: "its token service gave no token" });
  }

  /** RFC 6749 refresh for an identity token, else the token endpoint of the distribution project. No redirects. */
  #askRealm(challenge: BearerChallenge, signal: AbortSignal | undefined): Promise<Answer> {
    const { credentials, clock } = this.#options;
    const { identityToken, username } = credentials ?? {};
    const scopes = [...new Set([...this.#options.scopes, challenge.scope ?? ""])].filter((scope) => scope !== "");
    const common = {
      doing: "log in at",
      on: new URL(this.#options.origin).host,
      machineLoopback: this.machineLoopback,
      ...(signal === undefined ? {} : { signal }),
    };
    if (identityToken !== undefined) {
      const body = new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: identityToken,
        client_id: "gantry",
        service: challenge.service ?? "",
        scope: scopes.join(" "),
      });
      return wire({ ...common, method: "POST", url: challenge.realm.href, headers: {}, body }, clock);
    }
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    if (username !== undefined) url.searchParams.set("account", username);
    const basic = this.#basic();
    const headers: Record<string, string> = basic === undefined ? {} : { Authorization: basic };
    return wire({ ...common, method: "GET", url: url.href, headers }, clock);
  }
}

function parse(text: string): { readonly token?: unknown; readonly access_token?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // An answer that is no JSON holds no token; the caller says so.
    return {};
  }
}
