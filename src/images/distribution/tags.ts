import { GantryError } from "#base/core/errors.ts";
import { documentLimit } from "#formats/oci/contract.ts";
import type { Ask } from "./uploads.ts";

const doing = "list the tags";
const mostPages = 1000;

/** Every page of a repository's tags. */
export async function listTags(ask: Ask, base: string, on: string, signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  let url = `${base}/tags/list?n=1000`;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await ask({
      method: "GET",
      url,
      accept: [200],
      doing,
      on,
      ...(signal === undefined ? {} : { signal }),
    });
    found.push(...readTags(await answer.bytes(documentLimit, signal), on));
    const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "")?.[1];
    if (next === undefined || !URL.canParse(next, url)) return found;
    const target = new URL(next, url);
    // The list is the registry's own; another host's, or the same page for ever, is not.
    if (target.origin !== new URL(base).origin || target.href === url) return found;
    url = target.href;
  }
  throw new GantryError("invalid", { doing, on, because: `the list has over ${mostPages} pages` });
}

function readTags(bytes: Uint8Array, on: string): string[] {
  try {
    const { tags } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { tags?: unknown };
    if (tags === null || tags === undefined) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === "string")) return tags;
  } catch (cause) {
    throw new GantryError("invalid", { doing, on, because: "the registry's list is no JSON", cause });
  }
  throw new GantryError("invalid", { doing, on, because: "the registry's list has no tags" });
}
