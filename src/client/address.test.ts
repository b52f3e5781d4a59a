import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { parseHost } from "./address.ts";

test("a socket's path, a host with a port and an IPv6 address are understood", () => {
  expect(parseHost("unix:///run/gantry/gantry.sock")).toEqual({ kind: "unix", path: "/run/gantry/gantry.sock" });
  expect(parseHost("tcp://127.0.0.1:2375")).toEqual({ kind: "tcp", host: "127.0.0.1", port: 2375 });
  expect(parseHost("http://[::1]:80/")).toEqual({ kind: "tcp", host: "[::1]", port: 80 });
});

test("everything else is refused and says what to set", () => {
  for (const text of ["", "unix://relative", "tcp://host", "ssh://host:22", "/run/x.sock"]) {
    expect(() => parseHost(text)).toThrow("Set GANTRY_HOST or --host");
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseHost(`x${text}`)).toThrow(GantryError);
    }),
  );
});
