import { GantryError } from "#base/core/errors.ts";
import { isLinkLocal, isLoopback } from "./address.ts";

/** WWW-Authenticate (RFC 9110, 11.6.1), as far as registries use it. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: URL; readonly service?: string; readonly scope?: string };

const headerLimit = 8192;
/** A scheme's name, or a parameter of the scheme before it. */
const token = /([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;

/**
 * The challenge to answer, bearer before basic; undefined when there is none we know. Errors: "denied" the realm is
 * less safe than the registry itself, "invalid" it is no URL.
 */
export function parseChallenge(header: string | null, registry: string): Challenge | undefined {
  const schemes = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const [, name, quoted, plain] of (header ?? "").slice(0, headerLimit).matchAll(token)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    if (value === undefined) {
      current = new Map();
      schemes.set(name!.toLowerCase(), current);
    } else current.set(name!.toLowerCase(), value);
  }
  const bearer = schemes.get("bearer");
  const realm = bearer?.get("realm");
  if (bearer === undefined || realm === undefined) return schemes.has("basic") ? { scheme: "basic" } : undefined;
  const [service, scope] = [bearer.get("service"), bearer.get("scope")];
  return {
    scheme: "bearer",
    realm: trustedRealm(realm, registry),
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/**
 * Credentials go where a registry's challenge says, so the realm must be as safe as the registry: https, or the very
 * host of a registry that is itself reached without TLS (CVE-2026-33540, CVE-2026-48978: a realm on a metadata address).
 */
function trustedRealm(text: string, registry: string): URL {
  const home = new URL(registry);
  let realm: URL;
  try {
    realm = new URL(text, registry);
  } catch (cause) {
    const because = `its realm "${text.slice(0, 200)}" is no URL`;
    throw new GantryError("invalid", { doing: "log in at", on: home.host, because, cause });
  }
  const sameHost = realm.hostname === home.hostname && realm.protocol === home.protocol;
  const bothHere = isLoopback(home.hostname) && isLoopback(realm.hostname) && /^https?:$/.test(realm.protocol);
  const elsewhere = realm.protocol === "https:" && !isLinkLocal(realm.hostname) && !isLoopback(realm.hostname);
  if ((sameHost || bothHere || elsewhere) && realm.username === "" && realm.password === "") return realm;
  throw new GantryError("denied", {
    doing: "log in at",
    on: home.host,
    because: `it asks for the credentials to be sent to ${realm.origin}, which is not as safe as itself`,
    next: "Do not use this registry unless you know why it does that.",
  });
}
