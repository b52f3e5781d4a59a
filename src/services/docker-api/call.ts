import type { IncomingMessage } from "node:http";
import { GantryError } from "#base/core/errors.ts";
import type { Call } from "./contract.ts";
import type { Match } from "./router.ts";

const bodyLimit = 4 * 1024 * 1024;

export function makeCall(request: IncomingMessage, match: Match, query: URLSearchParams, signal: AbortSignal): Call {
  return {
    method: request.method ?? "GET",
    path: match.path,
    version: match.version,
    params: match.params,
    query,
    headers: request.headers,
    body: request,
    signal,
    json: <T extends object>() => readJson<T>(request),
  };
}

async function readJson<T extends object>(request: IncomingMessage): Promise<Partial<T>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) {
      throw invalidBody(request, `it is over ${bodyLimit} bytes`);
    }
    chunks.push(chunk);
  }
  if (size === 0) return {};
  const text = Buffer.concat(chunks).toString("utf8");
  if (text.trim() === "" || text.trim() === "null") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidBody(request, "it is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidBody(request, "it is no JSON object");
  }
  return value as Partial<T>;
}

function invalidBody(request: IncomingMessage, because: string, cause?: unknown): GantryError {
  return new GantryError("invalid", {
    doing: "read the request's body",
    on: `${request.method} ${request.url}`,
    because,
    cause,
  });
}

/** "1", "true", "True" and "t" are true, as in Docker; absent is `fallback`. */
export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  if (value === null || value === "") return fallback;
  return !["0", "false", "False", "FALSE", "f", "F", "no", "none"].includes(value.trim());
}

/** A whole number of the query, or undefined. Errors: "invalid" for anything else. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  const number = Number(value);
  if (!Number.isInteger(number)) {
    throw new GantryError("invalid", {
      doing: `read the query's ${name}`,
      on: value,
      because: "it is no whole number",
    });
  }
  return number;
}

/** The `filters` of a query: {"name":["a"]} or the older {"name":{"a":true}}. */
export function filters(query: URLSearchParams): ReadonlyMap<string, readonly string[]> {
  const text = query.get("filters");
  if (text === null || text === "") return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read the filters", on: text, because: "they are not JSON", cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new GantryError("invalid", { doing: "read the filters", on: text, because: "they are no JSON object" });
  }
  return new Map(
    Object.entries(value as Record<string, unknown>).map(([name, entry]) => {
      if (Array.isArray(entry)) return [name, entry.map(String)];
      if (typeof entry === "object" && entry !== null) {
        return [name, Object.entries(entry).flatMap(([key, on]) => (on === true ? [key] : []))];
      }
      throw new GantryError("invalid", { doing: "read the filter", on: name, because: "its value is no list" });
    }),
  );
}

/** Error "invalid" for a filter that is not known, also where there is nothing yet to filter. */
export function onlyFilters(kind: string, wanted: ReadonlyMap<string, unknown>, known: readonly string[]): void {
  const unknown = [...wanted.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new GantryError("invalid", {
    doing: `filter the ${kind}`,
    on: unknown,
    because: "there is no such filter",
    next: `Known are ${known.join(", ")}.`,
  });
}
