import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet, RECURSION_AVAILABLE } from "dns-packet";
import { formatAddress } from "#base/core/ip-address.ts";
import { allowsName, type EgressList } from "./egress.ts";
import type { Asker, NameTable } from "./names.ts";

/** What to do with a question (RFC 1035): answer it, pass it on to the world, or drop it. */
export type Verdict =
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "forward" }
  | { readonly kind: "drop" };

/** Seconds; containers come and go. */
const timeToLive = 5;
const serverFailure = 2;
const refused = 5;

export function verdictOn(names: NameTable, asker: Asker, bytes: Buffer, egress?: EgressList): Verdict {
  const packet = read(bytes);
  const question = packet?.questions?.[0];
  if (packet === undefined || packet.type === "response" || question === undefined) return { kind: "drop" };
  const answers = answersTo(names, asker, question.name, question.type);
  if (answers !== undefined) return { kind: "answer", bytes: reply(packet, answers, 0) };
  // A network without a way out gives none to questions either (CVE-2024-29018).
  if (asker.enclosed) return { kind: "answer", bytes: reply(packet, [], serverFailure) };
  // A name that is not on the list is not even asked for: a question can carry what must not leave.
  if (egress !== undefined && !allowsName(egress, question.name)) {
    return { kind: "answer", bytes: reply(packet, [], refused) };
  }
  return { kind: "forward" };
}

/** The addresses an answer gives, and how long the shortest of them holds; none in what is no answer. */
export function addressesIn(bytes: Uint8Array): { readonly addresses: readonly string[]; readonly seconds: number } {
  const records = (read(Buffer.from(bytes))?.answers ?? []).flatMap((answer) =>
    answer.type === "A" || answer.type === "AAAA" ? [{ data: answer.data, ttl: answer.ttl ?? 0 }] : [],
  );
  return { addresses: records.map(({ data }) => data), seconds: Math.min(...records.map(({ ttl }) => ttl), 86_400) };
}

/** What a question gets that nobody answered: the asker need not wait for its own time to run out. */
export function failureOf(question: Buffer): Uint8Array {
  const packet = read(question);
  return packet === undefined ? question : reply(packet, [], serverFailure);
}

/** No packet of ours: whoever sends such a thing gets no answer. */
function read(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** undefined: the name is none of ours. None: it is, and has nothing of that type. */
function answersTo(names: NameTable, asker: Asker, name: string, type: string): Answer[] | undefined {
  if (type === "PTR") {
    const address = reverseOf(name);
    const found = address === undefined ? undefined : names.nameOf(asker, address);
    return found === undefined ? undefined : [{ type: "PTR", name, ttl: timeToLive, data: found }];
  }
  const four = names.addresses(asker, name, 4);
  if (four === undefined) return undefined;
  const six = type === "AAAA" || type === "ANY" ? (names.addresses(asker, name, 6) ?? []) : [];
  const wanted = [
    ...(type === "A" || type === "ANY" ? four.map((data) => ({ type: "A" as const, data })) : []),
    ...six.map((data) => ({ type: "AAAA" as const, data })),
  ];
  return wanted.map((record) => ({ ...record, name, ttl: timeToLive }));
}

function reply(packet: Packet, answers: readonly Answer[], code: number): Uint8Array {
  return encode({
    type: "response",
    ...(packet.id === undefined ? {} : { id: packet.id }),
    flags: RECURSION_AVAILABLE | AUTHORITATIVE_ANSWER | ((packet.flags ?? 0) & 0x0100) | code,
    questions: packet.questions ?? [],
    answers: [...answers],
  });
}

/** "4.3.2.1.in-addr.arpa" is 1.2.3.4; nibbles below ip6.arpa likewise. */
export function reverseOf(name: string): string | undefined {
  const lower = name.toLowerCase().replace(/\.$/, "");
  const four = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(lower);
  if (four !== null) return four[1]!.split(".").filter(Boolean).toReversed().join(".");
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(lower);
  if (six === null) return undefined;
  const digits = six[1]!.replaceAll(".", "");
  return formatAddress({ family: 6, value: BigInt(`0x${[...digits].toReversed().join("")}`) });
}
