import { expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { filters, flag, integer, makeCall, onlyFilters } from "./call.ts";
import type { Match } from "./router.ts";

const query = (text: string) => new URLSearchParams(text);

function callWith(...chunks: (string | Uint8Array)[]) {
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk as string)));
  const request = Object.assign(body, { method: "POST", url: "/x", headers: {} }) as unknown as IncomingMessage;
  const match: Match = {
    route: { method: "POST", path: "/x", handle: () => ({ status: 200 }) },
    path: "/x",
    version: "1.51",
    params: {},
  };
  return makeCall(request, match, query(""), new AbortController().signal);
}

test("a body arrives in pieces, cut inside a letter, and is one object", async () => {
  const bytes = Buffer.from('{"Name":"é"}');
  const at = bytes.indexOf(0xc3) + 1;
  expect(await callWith(bytes.subarray(0, at), bytes.subarray(at)).json()).toEqual({ Name: "é" });
});

test("an empty body, blanks and null are an empty object", async () => {
  for (const text of ["", " \n", "null"]) expect(await callWith(text).json()).toEqual({});
});

test("a body that is no object, or too large, is refused as invalid", async () => {
  for (const text of ["[1]", "3", "{", '"x"']) {
    await expect(callWith(text).json()).rejects.toMatchObject({ kind: "invalid" });
  }
  await expect(callWith(Buffer.alloc(3_000_000, 32), Buffer.alloc(3_000_000, 32)).json()).rejects.toThrow(
    "over 4194304",
  );
});

test("flags are Docker's: only its words for no are false", () => {
  for (const text of ["1", "true", "True", "t", "yes"]) expect(flag(query(`a=${text}`), "a")).toBe(true);
  for (const text of ["0", "false", "False", "no", "none"]) expect(flag(query(`a=${text}`), "a", true)).toBe(false);
  expect(flag(query(""), "a", true)).toBe(true);
});

test("a number that is none is refused, never taken as absent", () => {
  expect(integer(query("n=-1"), "n")).toBe(-1);
  expect(integer(query("n="), "n")).toBeUndefined();
  for (const text of ["x", "1.5", "1e999"]) expect(() => integer(query(`n=${text}`), "n")).toThrow("no whole number");
});

test("filters come as lists and in the older form of truths", () => {
  expect(filters(query(`filters=${JSON.stringify({ name: ["a", "b"] })}`)).get("name")).toEqual(["a", "b"]);
  expect(filters(query(`filters=${JSON.stringify({ name: { a: true, b: false } })}`)).get("name")).toEqual(["a"]);
  expect(() => onlyFilters("volumes", new Map([["until", []]]), ["label"])).toThrow("Known are label");
});

test("whatever is sent as filters gives a map or a clear refusal", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        expect(filters(new URLSearchParams({ filters: text }))).toBeInstanceOf(Map);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
