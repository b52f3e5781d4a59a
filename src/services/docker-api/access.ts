import { GantryError } from "#base/core/errors.ts";

/** What one listener lets its clients do. A socket is a key to the machine unless it says otherwise. */
export type Access =
  | { readonly kind: "full" }
  /** Looking, without the contents of files: no archive, no export, no image's bytes. */
  | { readonly kind: "read-only" }
  /** Pages by "METHOD /path", where * stands for any one part of the path and ** for the rest. */
  | { readonly kind: "allow"; readonly patterns: readonly string[] };

const contents = [/^\/containers\/[^/]+\/(archive|export|attach\/ws)$/, /^\/images\/(.+\/)?get$/];

/** `path` without the version prefix. HEAD is what GET is. */
export function permits(access: Access, method: string, path: string): boolean {
  const verb = method === "HEAD" ? "GET" : method;
  if (access.kind === "full") return true;
  if (access.kind === "read-only") return verb === "GET" && !contents.some((pattern) => pattern.test(path));
  // Without these no client begins to talk.
  if (verb === "GET" && (path === "/_ping" || path === "/version")) return true;
  return access.patterns.some((pattern) => matches(pattern, verb, path));
}

function matches(pattern: string, method: string, path: string): boolean {
  const [verb, target = ""] = pattern.split(" ");
  if (verb !== method) return false;
  const parts = target.split(/(\*\*|\*)/).map((part) => (part === "**" ? ".*" : part === "*" ? "[^/]+" : quoted(part)));
  return new RegExp(`^${parts.join("")}$`).test(path);
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Errors: "invalid" for a pattern that could never match. */
export function checkedAccess(access: Access): Access {
  const wrong =
    access.kind === "allow"
      ? access.patterns.find((pattern) => !/^(GET|POST|PUT|DELETE) \/\S*$/.test(pattern))
      : undefined;
  if (wrong === undefined && (access.kind !== "allow" || access.patterns.length > 0)) return access;
  throw new GantryError("invalid", {
    doing: "allow the pages",
    on: wrong ?? "none",
    because: "a pattern is a method, a space and a path",
    next: "For example: 'POST /containers/*/start'",
  });
}

/** Error "denied", saying what would do. */
export function requireAccess(access: Access, method: string, path: string): void {
  if (permits(access, method, path)) return;
  throw new GantryError("denied", {
    doing: "serve the request",
    on: `${method} ${path}`,
    because: access.kind === "read-only" ? "this address is for looking only" : "this address does not allow it",
    next: "Use the engine's own socket, or ask who set this address up.",
  });
}
