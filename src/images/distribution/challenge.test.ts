import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { parseChallenge } from "./challenge.ts";

const registry = "https://registry.example";

test("basic and bearer are read, bearer first, whatever the order and the quoting", () => {
  expect(parseChallenge('Basic realm="x"', registry)).toEqual({ scheme: "basic" });
  expect(parseChallenge("basic", registry)).toEqual({ scheme: "basic" });
  const bearer = {
    scheme: "bearer" as const,
    realm: new URL("https://auth.example/token"),
    service: 'a "b", c',
    scope: "repository:x:pull,push",
  };
  const text = 'Bearer realm="https://auth.example/token",service="a \\"b\\", c", scope="repository:x:pull,push"';
  expect(parseChallenge(text, registry)).toEqual(bearer);
  expect(parseChallenge(`Basic realm="y", ${text}`, registry)).toEqual(bearer);
  expect(parseChallenge(`${text}, Basic realm="y"`, registry)).toEqual(bearer);
  const plain = parseChallenge("BEARER realm=https://auth.example/t,service=s", registry);
  expect(plain).toEqual({ scheme: "bearer", realm: new URL("https://auth.example/t"), service: "s" });
});

test("what is no challenge we know is none", () => {
  for (const header of [null, "", "Digest realm=x", 'Bearer service="s"', "Negotiate"])
    expect(parseChallenge(header, registry)).toBeUndefined();
});

test("a realm less safe than the registry gets no credentials", () => {
  const bad = [
    "http://registry.example/token",
    "http://169.254.169.254/latest",
    "https://169.254.169.254/latest",
    "https://[fe80::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://metadata.google.internal/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://user:word@auth.example/",
    "ftp://auth.example/",
    "file:///etc/passwd",
  ];
  for (const realm of bad) {
    let caught: unknown;
    try {
      parseChallenge(`Bearer realm="${realm}"`, registry);
    } catch (error) {
      caught = error;
    }
    expect([realm, isKind(caught, "denied")]).toEqual([realm, true]);
  }
  expect(() => parseChallenge('Bearer realm="http://10.0.0.1/"', "http://127.0.0.1:5000")).toThrow("not as safe");
  expect(() => parseChallenge('Bearer realm="http://["', registry)).toThrow("no URL");
});

test("a registry on loopback may have its token service there too", () => {
  const challenge = parseChallenge('Bearer realm="http://localhost:5001/token"', "http://127.0.0.1:5000");
  expect(challenge).toMatchObject({ scheme: "bearer" });
});

test("no header breaks the parser, and no realm gets through that is neither https nor the registry's own", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `Bearer realm="${text}"`),
      ),
      (header) => {
        try {
          const challenge = parseChallenge(header, registry);
          if (challenge?.scheme === "bearer") expect(challenge.realm.protocol).toBe("https:");
        } catch (error) {
          expect(isKind(error, "denied") || isKind(error, "invalid")).toBe(true);
        }
      },
    ),
  );
});
