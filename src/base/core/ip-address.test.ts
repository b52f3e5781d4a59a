import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressBytes, formatAddress, parseAddress } from "./ip-address.ts";

test("addresses go to numbers and back", () => {
  fc.assert(fc.property(fc.ipV4(), (text) => formatAddress(parseAddress(text)!) === text));
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
      const text = formatAddress({ family: 6, value });
      expect(parseAddress(text)).toEqual({ family: 6, value });
      // The platform's own way of writing it.
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
  );
});

test("every way to write an IPv6 address is read, what is none is not", () => {
  const forms = { "::": 0n, "::1": 1n, "1::": 1n << 112n, "0:0:0:0:0:0:0:a": 10n, "::ffff:1.2.3.4": 0xffff01020304n };
  for (const [text, value] of Object.entries(forms)) expect(parseAddress(text)).toEqual({ family: 6, value });
  for (const wrong of ["1.2.3", "1.2.3.256", "a.b.c.d", "", "1.2.3.4.5", ":::", "fe80::1%eth0", "1:2", "g::"]) {
    expect(parseAddress(wrong)).toBeUndefined();
  }
  expect(addressBytes("10.0.0.1")).toEqual(Buffer.from([10, 0, 0, 1]));
  expect(addressBytes("fd00::1")).toHaveLength(16);
});
