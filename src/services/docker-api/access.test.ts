import { expect, test } from "bun:test";
import fc from "fast-check";
import { checkedAccess, permits } from "./access.ts";

test("a full address permits all, a read-only one looks and takes no contents", () => {
  const readOnly = { kind: "read-only" } as const;
  expect(permits({ kind: "full" }, "DELETE", "/containers/x")).toBe(true);
  for (const path of [
    "/containers/json",
    "/containers/x/json",
    "/containers/x/logs",
    "/events",
    "/info",
    "/images/json",
  ])
    expect(permits(readOnly, "GET", path)).toBe(true);
  for (const path of ["/containers/x/archive", "/containers/x/export", "/images/a/b/get", "/images/get"])
    expect(permits(readOnly, "GET", path)).toBe(false);
  expect(permits(readOnly, "HEAD", "/containers/x/archive")).toBe(false);
  for (const method of ["POST", "PUT", "DELETE"]) expect(permits(readOnly, method, "/containers/json")).toBe(false);
});

test("an allow-list permits its pages and what every client asks first", () => {
  const access = { kind: "allow", patterns: ["POST /containers/*/restart", "GET /containers/**"] } as const;
  expect(permits(access, "GET", "/_ping")).toBe(true);
  expect(permits(access, "POST", "/containers/web/restart")).toBe(true);
  expect(permits(access, "POST", "/containers/a/b/restart")).toBe(false);
  expect(permits(access, "POST", "/containers/web/restart/x")).toBe(false);
  expect(permits(access, "GET", "/containers/web/logs")).toBe(true);
  expect(permits(access, "GET", "/images/json")).toBe(false);
});

test("patterns are taken by the letter, and what is none is refused", () => {
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      const access = { kind: "allow", patterns: ["GET /a.b/(x)"] } as const;
      return !permits(access, "GET", path) || path === "/a.b/(x)";
    }),
  );
  for (const pattern of ["/containers", "PATCH /x", "GET containers", "GET /a b", ""])
    expect(() => checkedAccess({ kind: "allow", patterns: [pattern] })).toThrow("a pattern is a method");
  expect(() => checkedAccess({ kind: "allow", patterns: [] })).toThrow("a pattern is a method");
});
