import { GantryError } from "#base/core/errors.ts";
import type { Digest, DigestAlgorithm } from "./contract.ts";

const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };
const grammar = /^(sha256|sha512):([0-9a-f]+)$/;

/** Why `text` is no digest, or nothing when it is one. */
function fault(text: string): string | undefined {
  const match = grammar.exec(text);
  if (match === null) return "it must be sha256: or sha512: and lower-case hex";
  const want = hexLength[match[1] as DigestAlgorithm];
  return match[2]!.length === want ? undefined : `${match[1]} has ${want} hex digits, this has ${match[2]!.length}`;
}

export function isDigest(text: unknown): text is Digest {
  // Longer than any digest is decided without the pattern: the text may be megabytes from outside.
  return typeof text === "string" && text.length <= 135 && fault(text) === undefined;
}

/**
 * Checks a digest from outside (image-spec, descriptor.md, "Digests"). Only what passed may become a path or a URL.
 * Error "invalid".
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = text.length > 140 ? `${text.slice(0, 140)}…` : text;
  throw new GantryError("invalid", {
    doing: "read the digest",
    on: shown,
    because: text.length > 135 ? "it is too long" : (fault(text) ?? "it is none"),
    next: "Give it as sha256: and 64 lower-case hex digits.",
  });
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(":")) as DigestAlgorithm;
}

/** The part after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** A digest being computed over chunks. `value` ends it. */
export interface Digester {
  update(chunk: Uint8Array): void;
  value(): Digest;
}

export function createDigester(algorithm: DigestAlgorithm = "sha256"): Digester {
  const hasher = new Bun.CryptoHasher(algorithm);
  return {
    update: (chunk) => void hasher.update(chunk),
    value: () => `${algorithm}:${hasher.digest("hex")}` as Digest,
  };
}

export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(content).digest("hex")}` as Digest;
}

/**
 * The chain ID of each layer, base first (image-spec, config.md, "Layer ChainID"): equal chain IDs mean equal file
 * systems, whatever images they come from.
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) chain.push(chainIdOver(chain.at(-1), diffId));
  return chain;
}

/** The chain ID of one layer over its parent's chain. */
export function chainIdOver(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}
