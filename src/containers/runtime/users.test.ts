import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { resolveUser } from "./users.ts";

const files = {
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    "ada:x:1000:1001::/home/ada:/bin/sh",
    "broken",
    "wrapped:x:4294967296:0::/:/bin/sh",
    "minus:x:-1:0::/:/bin/sh",
    "# a comment",
    "1234:x:55:55::/odd:/bin/sh",
  ].join("\n"),
  group: "root:x:0:\nlab:x:2000:bob,ada\nadm:x:4:ada\nbig:x:99999999999:ada\n",
};

test.each([
  ["", { uid: 0, gid: 0, additionalGids: [0], home: "/root" }],
  ["0", { uid: 0, gid: 0, additionalGids: [0], home: "/root" }],
  ["ada", { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 4], home: "/home/ada" }],
  ["1000", { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 4], home: "/home/ada" }],
  ["ada:lab", { uid: 1000, gid: 2000, additionalGids: [2000], home: "/home/ada" }],
  ["ada:7", { uid: 1000, gid: 7, additionalGids: [7], home: "/home/ada" }],
  ["4242", { uid: 4242, gid: 0, additionalGids: [0], home: "/" }],
  ["4242:4243", { uid: 4242, gid: 4243, additionalGids: [4243], home: "/" }],
  ["1234", { uid: 55, gid: 55, additionalGids: [55], home: "/odd" }],
  ["2147483647", { uid: 2147483647, gid: 0, additionalGids: [0], home: "/" }],
])("USER %p is resolved", (user, expected) => {
  expect(resolveUser(user, [], files)).toEqual(expected);
});

test.each(["-1", "4294967296", "2147483648", "0:-1", "0:4294967295", "+5", "a:b:c", "99999999999999999999"])(
  "USER %p is refused, and never becomes root (CVE-2024-40635)",
  (user) => {
    expect(() => resolveUser(user, [], files)).toThrow();
  },
);

test("a name that is not there, or whose id is out of range, is not found", () => {
  for (const user of ["nobody-here", "wrapped", "minus", "ada:nogroup", "ada:big"]) {
    try {
      resolveUser(user, [], files);
      expect.unreachable();
    } catch (error) {
      expect(isKind(error, "not-found")).toBe(true);
    }
  }
});

test("further groups go by name and number", () => {
  expect(resolveUser("ada:7", ["lab", "99"], files).additionalGids).toEqual([7, 2000, 99]);
});

test("whatever the files hold, ids stay in range and only root's own words give 0", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (passwd, group, user) => {
      try {
        const found = resolveUser(user, [], { passwd, group });
        for (const id of [found.uid, found.gid, ...found.additionalGids]) {
          expect(Number.isInteger(id) && id >= 0 && id < 2 ** 31).toBe(true);
        }
      } catch (error) {
        expect(isKind(error)).toBe(true);
      }
    }),
  );
});
