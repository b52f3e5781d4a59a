import { GantryError } from "#base/core/errors.ts";

/** "ctrl-p,ctrl-q" or single letters, as bytes. Error "invalid". */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(",").map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key);
      if (control !== null) return control[1]!.toUpperCase().charCodeAt(0) & 0x1f;
      if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
      throw new GantryError("invalid", {
        doing: "read the detach keys",
        on: text,
        because: `${key} is neither one letter nor ctrl- and a letter`,
      });
    }),
  );
}

export type DetachMatcher = (chunk: Uint8Array) => { readonly send: Uint8Array; readonly detach: boolean };

/** Looks for the keys in typed bytes, also across chunks; what turns out not to be them is sent after all. */
export function detachMatcher(text = "ctrl-p,ctrl-q"): DetachMatcher {
  const keys = parseDetachKeys(text);
  let matched = 0;
  return (chunk) => {
    const send: number[] = [];
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched += 1;
        if (matched === keys.length) return { send: Uint8Array.from(send), detach: true };
        continue;
      }
      send.push(...keys.subarray(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) send.push(byte);
    }
    return { send: Uint8Array.from(send), detach: false };
  };
}
