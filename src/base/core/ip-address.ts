import { isIPv4, isIPv6 } from "node:net";

export type Family = 4 | 6;

/** An IPv4 or IPv6 address as a number, so that ranges and pools know one arithmetic. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** undefined for what is no address; a zone ("%eth0") is none. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) {
    return { family: 4, value: text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const low = dotted === null ? undefined : parseAddress(dotted[2]!);
  const plain =
    low === undefined ? text : `${dotted![1]}${(low.value >> 16n).toString(16)}:${(low.value & 0xffffn).toString(16)}`;
  const [head = "", tail] = plain.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":"));
  const [before, after] = [words(head), words(tail ?? "")];
  const middle = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
  return {
    family: 6,
    value: [...before, ...middle, ...after].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n),
  };
}

/** IPv6 as RFC 5952 writes it. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const words = Array.from({ length: 8 }, (_word, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const zeros = longestZeros(words);
  if (zeros.length < 2) return words.join(":");
  return `${words.slice(0, zeros.start).join(":")}::${words.slice(zeros.start + zeros.length).join(":")}`;
}

function longestZeros(words: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let at = 0; at < words.length; at += 1) {
    let length = 0;
    while (words[at + length] === "0") length += 1;
    if (length > best.length) best = { start: at, length };
  }
  return best;
}

/** In network order: 4 or 16 bytes. */
export function addressBytes(text: string): Buffer {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`no address: ${text}`);
  return Buffer.from(address.value.toString(16).padStart(bitsOf(address.family) / 4, "0"), "hex");
}
