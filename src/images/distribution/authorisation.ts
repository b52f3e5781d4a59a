import { GantryError } from "#base/core/errors.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { Credentials } from "./contract.ts";

const tokenLimit = 64 * 1024;

/** Answers a registry's challenges: basic, or a bearer token from its realm, kept until it is refused. */
export class Authorisation {
  readonly #registry: string;
  readonly #credentials: Credentials | undefined;
  readonly #scope: string;
  #header: string | undefined;

  constructor(registry: string, credentials: Credentials | undefined, scope: string) {
    this.#registry = registry;
    this.#credentials = credentials;
    this.#scope = scope;
  }

  get header(): string | undefined {
    return this.#header;
  }

  /** Makes a header for the next try; false when there is nothing left to try. */
  async answer(challenged: Response, signal: AbortSignal | undefined): Promise<boolean> {
    const challenge = parseChallenge(challenged.headers.get("www-authenticate"), this.#registry);
    if (challenge === undefined) return false;
    const next = challenge.scheme === "basic" ? this.#basic() : `Bearer ${await this.#token(challenge, signal)}`;
    if (next === undefined || next === this.#header) return false;
    this.#header = next;
    return true;
  }

  #basic(): string | undefined {
    const { username, password } = this.#credentials ?? {};
    if (username === undefined || password === undefined) return undefined;
    return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }

  async #token(challenge: Extract<Challenge, { scheme: "bearer" }>, signal: AbortSignal | undefined): Promise<string> {
    const scopes = [...new Set([this.#scope, challenge.scope ?? ""])].filter((scope) => scope !== "");
    const response = await this.#askRealm(challenge, scopes, signal);
    const text = await response.text();
    if (!response.ok) {
      throw new GantryError(response.status === 403 ? "denied" : "unauthenticated", {
        doing: "log in at",
        on: this.#registry,
        because: `its token service answers ${response.status}`,
        next: "Check the user name and the password: gantry login",
      });
    }
    const answer = text.length > tokenLimit ? {} : (parse(text) as { token?: string; access_token?: string });
    const token = answer.token ?? answer.access_token;
    if (typeof token !== "string" || /[\r\n]/.test(token)) {
      throw new GantryError("unavailable", {
        doing: "log in at",
        on: this.#registry,
        because: "its token service gave no token",
      });
    }
    return token;
  }

  /** RFC 6749 refresh for an identity token, else the token endpoint of the distribution project. */
  #askRealm(
    challenge: Extract<Challenge, { scheme: "bearer" }>,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { identityToken, username } = this.#credentials ?? {};
    const common = { redirect: "error" as const, ...(signal === undefined ? {} : { signal }) };
    if (identityToken !== undefined) {
      const form = new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: identityToken,
        client_id: "gantry",
        service: challenge.service ?? "",
      });
      form.set("scope", scopes.join(" "));
      return fetch(challenge.realm, { ...common, method: "POST", body: form });
    }
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    if (username !== undefined) url.searchParams.set("account", username);
    const basic = this.#basic();
    return fetch(url, { ...common, headers: basic === undefined ? {} : { Authorization: basic } });
  }
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // An answer that is no JSON holds no token; the caller says so.
    return {};
  }
}
