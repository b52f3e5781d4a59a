import { expect, test } from "bun:test";
import { detachMatcher, parseDetachKeys } from "./detach-keys.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

test("control keys and letters become bytes", () => {
  expect([...parseDetachKeys("ctrl-p,ctrl-q")]).toEqual([16, 17]);
  expect([...parseDetachKeys("a,ctrl-[")]).toEqual([97, 27]);
  expect(() => parseDetachKeys("ctrl-")).toThrow("neither one letter");
});

test("the keys are found across chunks and never sent", () => {
  const match = detachMatcher();
  expect(match(bytes("ab\x10"))).toEqual({ send: new Uint8Array(bytes("ab")), detach: false });
  expect(match(bytes("\x11rest")).detach).toBe(true);
});

test("half of the keys is sent when the other half does not come", () => {
  const match = detachMatcher();
  match(bytes("\x10"));
  expect(Buffer.from(match(bytes("x")).send).toString("latin1")).toBe("\x10x");
});
