import type { Answer } from "./contract.ts";

/** One request over a unix socket, whatever it is answered with. */
export async function ask(
  socket: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const raw = body instanceof Uint8Array || typeof body === "string";
  const response = await fetch(`http://engine/v1.51${path}`, {
    unix: socket,
    method,
    headers: { ...(body === undefined || raw ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  } as RequestInit);
  return { status: response.status, body: parsed(await response.text()), headers: response.headers };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
