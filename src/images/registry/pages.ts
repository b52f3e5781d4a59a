const most = 1000;

export interface Page {
  readonly limit: number;
  readonly last: string | undefined;
}

/** `n` and `last` of the query; without a usable `n`, as many as we give at most. */
export function askedPage(url: URL): Page {
  const asked = url.searchParams.get("n") ?? "";
  const limit = /^\d{1,9}$/.test(asked) ? Math.min(Number(asked), most) : most;
  return { limit, last: url.searchParams.get("last") ?? undefined };
}

/** One page of a list: `list` is asked for one more, which tells whether another page follows. */
export function onePage(
  { limit, last }: Page,
  path: string,
  list: (limit: number, last: string | undefined) => string[],
): { items: string[]; headers: Record<string, string> } {
  if (limit === 0) return { items: [], headers: {} };
  const found = list(limit + 1, last);
  const items = found.slice(0, limit);
  const next = `<${path}?n=${limit}&last=${encodeURIComponent(items.at(-1) ?? "")}>; rel="next"`;
  return { items, headers: found.length > limit ? { Link: next } : {} };
}
