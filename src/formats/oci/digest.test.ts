import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { chainIds, createDigester, digestOf, isDigest, parseDigest } from "./digest.ts";

const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("row 24: a digest that could be a path, is upper case, short, empty or of another algorithm is refused", () => {
  for (const bad of [
    "sha256:../../x",
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}0`,
    `SHA256:${hex}`,
    `sha999:${hex}`,
    `md5:${hex.slice(0, 32)}`,
    `sha512:${hex}`,
    `sha256:${hex}\n`,
    ` sha256:${hex}`,
    `sha256:${hex.slice(0, 63)}\u0000`,
    "sha256:",
    ":",
    "",
    hex,
    "x".repeat(10_000_000),
  ]) {
    expect(isDigest(bad)).toBe(false);
    try {
      parseDigest(bad);
      expect.unreachable();
    } catch (error) {
      expect(isKind(error, "invalid")).toBe(true);
      expect((error as Error).message.length).toBeLessThan(400);
    }
  }
});

test("a digest is computed over chunks as over the whole", () => {
  expect(digestOf("") as string).toBe(`sha256:${hex}`);
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 })),
      fc.constantFrom("sha256", "sha512"),
      (chunks, algorithm) => {
        const digester = createDigester(algorithm);
        for (const chunk of chunks) digester.update(chunk);
        const digest = digester.value();
        expect(parseDigest(digest)).toBe(digest);
        expect(digest).toBe(digestOf(Buffer.concat(chunks), algorithm));
      },
    ),
  );
});

test("chain IDs are those of the image specification", () => {
  const [a, b] = [digestOf("a"), digestOf("b")];
  const chain = chainIds([a, b, a]);
  expect(chain[0]).toBe(a);
  expect(chain[1]).toBe(digestOf(`${a} ${b}`));
  expect(chain[2]).toBe(digestOf(`${chain[1]} ${a}`));
  expect(chainIds([])).toEqual([]);
});
