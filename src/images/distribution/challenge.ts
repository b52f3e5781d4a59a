import { GantryError } from "#base/core/errors.ts";

/** WWW-Authenticate (RFC 9110, 11.6.1), as far as registries use it. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: URL; readonly service?: string; readonly scope?: string };

const parameter = /([a-z]+)="((?:[^"\\]|\\.)*)"/gi;

/** The challenge to answer; undefined when there is none we know. */
export function parseChallenge(header: string | null, registry: string): Challenge | undefined {
  if (header === null) return undefined;
  if (/^basic\b/i.test(header)) return { scheme: "basic" };
  if (!/^bearer\b/i.test(header)) return undefined;
  const found = Object.fromEntries(
    [...header.matchAll(parameter)].map(([, name, value]) => [name!.toLowerCase(), value!]),
  );
  if (found.realm === undefined) return undefined;
  return {
    scheme: "bearer",
    realm: trustedRealm(found.realm, registry),
    ...(found.service === undefined ? {} : { service: found.service }),
    ...(found.scope === undefined ? {} : { scope: found.scope }),
  };
}

/**
 * Credentials go where a registry's challenge says, so the realm must be as safe as the registry: https, or the very
 * host of a registry that is itself reached without TLS (CVE-2026-33540, CVE-2026-48978: a realm on a metadata address).
 * Error "denied".
 */
function trustedRealm(text: string, registry: string): URL {
  let realm: URL;
  try {
    realm = new URL(text, registry);
  } catch (cause) {
    throw new GantryError("invalid", {
      doing: "log in at",
      on: registry,
      because: `its realm "${text}" is no URL`,
      cause,
    });
  }
  const home = new URL(registry);
  const sameHost = realm.hostname === home.hostname && realm.protocol === home.protocol;
  const safe = sameHost || (realm.protocol === "https:" && !isLinkLocal(realm.hostname));
  if (safe) return realm;
  throw new GantryError("denied", {
    doing: "log in at",
    on: registry,
    because: `it asks for the credentials to be sent to ${realm.origin}, which is not as safe as itself`,
    next: "Do not use this registry unless you know why it does that.",
  });
}

function isLinkLocal(host: string): boolean {
  return /^169\.254\./.test(host) || /^\[fe80:/i.test(host) || host === "metadata.google.internal";
}
