import { GantryError } from "#base/core/errors.ts";

export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** "unix:///run/gantry/gantry.sock" or "tcp://host:port". Errors: "invalid". */
export function parseHost(text: string): Address {
  const unix = /^unix:\/\/(\/.+)$/.exec(text);
  if (unix !== null) return { kind: "unix", path: unix[1]! };
  const tcp = /^(?:tcp|http):\/\/(\[[0-9a-f:]+\]|[^:/]+):(\d{1,5})\/?$/i.exec(text);
  if (tcp !== null) return { kind: "tcp", host: tcp[1]!, port: Number(tcp[2]) };
  throw new GantryError("invalid", {
    doing: "find the engine",
    on: text,
    because: "the address is neither unix:///PATH nor tcp://HOST:PORT",
    next: "Set GANTRY_HOST or --host to one of these.",
  });
}
