import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { digestOf } from "./digest.ts";
import { canonicalReference, familiarReference, normalizeReference, parseReference } from "./reference.ts";

const digest = digestOf("x");

test("names are normalised as Docker does", () => {
  for (const [written, canonical, familiar] of [
    ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["a/b", "docker.io/a/b:latest", "a/b:latest"],
    ["library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
    ["index.docker.io/a/b:1", "docker.io/a/b:1", "a/b:1"],
    ["localhost/x", "localhost/x:latest", "localhost/x:latest"],
    ["localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"],
    ["127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t"],
    ["[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"],
    ["Host/x", "Host/x:latest", "Host/x:latest"],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
    [`quay.io/a:t@${digest}`, `quay.io/a:t@${digest}`, `quay.io/a:t@${digest}`],
    ["foo__bar/a-b.c---d", "docker.io/foo__bar/a-b.c---d:latest", "foo__bar/a-b.c---d:latest"],
    ["library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
  ] as const) {
    expect(normalizeReference(written)).toBe(canonical);
    expect(familiarReference(parseReference(canonical))).toBe(familiar);
  }
});

test("what is no name is refused with the reason", () => {
  for (const bad of [
    "",
    "Busybox",
    "a/B",
    "../x",
    "a//b",
    "/a",
    "a/",
    "a:",
    "a:b c",
    `a:${"t".repeat(129)}`,
    "a@sha256:../../x",
    `a@${digest}@${digest}`,
    "a@",
    "-a",
    "a..b",
    "a___b",
    "http://a/b",
    "a.b:port/c",
    `${"a/".repeat(130)}a`,
    "a".repeat(100_000),
    digest.slice(7),
    "localhost:5000",
    "a\u0000b",
    "a\n",
    "docker.io/",
  ]) {
    if (bad === "localhost:5000") {
      // As Docker reads it: repository "localhost" with tag 5000.
      expect(normalizeReference(bad)).toBe("docker.io/library/localhost:5000");
      continue;
    }
    expect(() => parseReference(bad)).toThrow(/Cannot read the image name/);
  }
});

test("canonical and familiar spellings parse to the same reference again", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("/"));
  const domain = fc.constantFrom("docker.io", "quay.io", "localhost:5000", "[fe80::1]:80", "a.b-c.d");
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined });
  fc.assert(
    fc.property(domain, path, tag, fc.boolean(), (host, repository, tagged, pinned) => {
      const written = `${host}/${repository}${tagged === undefined ? "" : `:${tagged}`}${pinned ? `@${digest}` : ""}`;
      const reference = parseReference(written);
      expect(parseReference(canonicalReference(reference))).toEqual(reference);
      expect(parseReference(familiarReference(reference))).toEqual(reference);
    }),
  );
});

test("any text gives a reference or the error invalid", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z0-9:@/._-]{0,60}$/)),
      (text) => {
        try {
          const reference = parseReference(text);
          expect(parseReference(canonicalReference(reference))).toEqual(reference);
        } catch (error) {
          expect(isKind(error, "invalid")).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});
