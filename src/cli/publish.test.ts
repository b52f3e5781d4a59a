import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { parsePublish } from "./publish.ts";

const of = (...publish: string[]) => parsePublish(publish, []).bindings;

test("every spelling of a published port becomes its binding", () => {
  expect(of("80")).toEqual({ "80/tcp": [{ HostIp: "", HostPort: "" }] });
  expect(of("8080:80")).toEqual({ "80/tcp": [{ HostIp: "", HostPort: "8080" }] });
  expect(of("127.0.0.1::53/udp")).toEqual({ "53/udp": [{ HostIp: "127.0.0.1", HostPort: "" }] });
  expect(of("[::1]:8080:80/TCP")).toEqual({ "80/tcp": [{ HostIp: "::1", HostPort: "8080" }] });
});

test("ranges go side by side, and one port may have a range to choose from", () => {
  expect(of("8000-8001:80-81")).toEqual({
    "80/tcp": [{ HostIp: "", HostPort: "8000" }],
    "81/tcp": [{ HostIp: "", HostPort: "8001" }],
  });
  expect(of("8000-8010:80")["80/tcp"]).toEqual([{ HostIp: "", HostPort: "8000-8010" }]);
  expect(() => of("8000-8002:80-81")).toThrow("the two ranges differ in length");
});

test("one port may be published several times", () => {
  expect(of("8080:80", "8081:80")["80/tcp"]).toHaveLength(2);
  expect(parsePublish(["81"], ["7000-7001/udp"]).exposed).toEqual({ "7000/udp": {}, "7001/udp": {}, "81/tcp": {} });
});

test("what is no port is refused with an example", () => {
  for (const text of ["", "0", "65536:80", "80:x", "1:2:3:4", "80/http", "90-80"]) {
    expect(() => of(text)).toThrow(GantryError);
  }
});

test("no text makes it throw anything but a refusal", () => {
  const text = fc.stringMatching(/^[0-9a-f:.[\]/\-tcpud]{0,24}$/);
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (word) => {
      try {
        parsePublish([word], [word]);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
    { numRuns: 300 },
  );
});
