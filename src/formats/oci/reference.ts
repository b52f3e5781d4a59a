import { GantryError } from "#base/core/errors.ts";
import type { Digest, Reference } from "./contract.ts";
import { isDigest } from "./digest.ts";

const domainPart = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainPattern = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPart = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

const defaultDomain = "docker.io";
const defaultPrefix = "library/";
/** distribution/reference: NameTotalLengthMax counts the repository without the domain since 2023; we count both. */
const nameLimit = 255;

function refuse(text: string, because: string): never {
  throw new GantryError("invalid", {
    doing: "read the image name",
    on: text.length > 300 ? `${text.slice(0, 300)}…` : text,
    because,
    next: "Write it as [HOST[:PORT]/]PATH[:TAG][@DIGEST], the path in lower case.",
  });
}

/**
 * What the user wrote, normalised as Docker does: "busybox" is docker.io/library/busybox. Neither tag nor digest is
 * added; see {@link withDefaultTag}. Error "invalid".
 */
export function parseReference(text: string): Reference {
  // Bounds the patterns' work; the longest valid one is 255 + 1 + 128 + 1 + 135.
  if (text.length > 520) refuse(text, "it is longer than 520 characters");
  if (text === "") refuse(text, "it is empty");
  if (/^[a-f0-9]{64}$/.test(text)) refuse(text, "64 hex digits are an image ID, not a name");
  const at = text.indexOf("@");
  const named = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : readDigest(text, text.slice(at + 1));
  const slash = named.lastIndexOf("/");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > slash;
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const { domain, path } = splitDomain(name);
  if (path === "") refuse(text, "the repository is missing");
  if (path !== path.toLowerCase()) refuse(text, "the repository must be in lower case");
  if (!domainPattern.test(domain)) refuse(text, `"${domain}" is no host`);
  if (!pathPattern.test(path)) refuse(text, `"${path}" is no repository path`);
  if (tag !== undefined && !tagPattern.test(tag)) refuse(text, `"${tag.slice(0, 140)}" is no tag`);
  if (domain.length + 1 + path.length > nameLimit)
    refuse(text, `host and path are longer than ${nameLimit} characters`);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function readDigest(text: string, digest: string): Digest {
  if (!isDigest(digest)) refuse(text, "what follows the @ is no sha256 or sha512 digest");
  return digest;
}

/** Docker's rule: the first part is a host when it has a dot or a colon, is "localhost" or has upper-case letters. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  let domain = isHost ? first : defaultDomain;
  let path = isHost ? name.slice(slash + 1) : name;
  if (domain === "index.docker.io") domain = defaultDomain;
  if (domain === defaultDomain && !path.includes("/") && path !== "") path = defaultPrefix + path;
  return { domain, path };
}

/** The reference with tag "latest" where it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** Host and path, without tag and digest: "docker.io/library/busybox". */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The one spelling kept in the store: "docker.io/library/busybox:latest". */
export function canonicalReference(reference: Reference): string {
  return repositoryOf(reference) + suffix(reference);
}

/** The spelling shown to people: "busybox:latest". Parsing it gives the same reference again. */
export function familiarReference(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

export function familiarRepository(reference: Reference): string {
  const { domain, path } = reference;
  if (domain !== defaultDomain) return `${domain}/${path}`;
  if (!path.startsWith(defaultPrefix)) return path;
  const short = path.slice(defaultPrefix.length);
  // library/a/b must keep its prefix, else it reads as host-less a/b; 64 hex digits alone would read as an ID.
  return short.includes("/") || /^[a-f0-9]{64}$/.test(short) ? path : short;
}

/** Normalises with the default tag: the store's key for what a user wrote. Error "invalid". */
export function normalizeReference(text: string): string {
  return canonicalReference(withDefaultTag(parseReference(text)));
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}
