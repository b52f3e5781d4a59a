import { expect, test } from "bun:test";
import { allowsName, parseEgress, requireWithin } from "./egress.ts";
import { subnetText } from "./subnet.ts";

test("addresses, subnets and names are told apart, and what is none is refused", () => {
  const list = parseEgress(["192.0.2.7", "10.0.0.0/8", "fd00::/8", "Example.org", "*.example.net", "localhost"]);
  expect(list.subnets.map(subnetText)).toEqual(["192.0.2.7/32", "10.0.0.0/8", "fd00::/8"]);
  expect(list.names).toEqual(["example.org", "*.example.net", "localhost"]);
  expect(parseEgress(["none"])).toEqual({ subnets: [], names: [] });
  for (const wrong of ["a b", "http://x", "-x.org", "*.", "*", "a..b", "10.0.0.0/40"])
    expect(() => parseEgress([wrong])).toThrow("neither an address");
});

test("a name is allowed by itself, a star stands for what is before the dot", () => {
  const list = parseEgress(["example.org", "*.example.net"]);
  for (const name of ["example.org", "EXAMPLE.org.", "deb.example.net", "a.b.example.net"])
    expect(allowsName(list, name)).toBe(true);
  for (const name of ["www.example.org", "example.net", "xexample.net", "example.org.evil.test", ""])
    expect(allowsName(list, name)).toBe(false);
});

test("a container's list stays inside its network's", () => {
  const network = parseEgress(["10.0.0.0/8", "*.example.net", "example.org"]);
  const within =
    (...entries: string[]) =>
    () =>
      requireWithin(parseEgress(entries), network, "net");
  expect(within("10.1.0.0/16", "deb.example.net", "*.example.net", "example.org", "none")).not.toThrow();
  expect(within("11.0.0.1")).toThrow("11.0.0.1/32");
  expect(within("0.0.0.0/0")).toThrow("0.0.0.0/0");
  expect(within("evil.test")).toThrow("evil.test");
  expect(within("*.example.org")).toThrow("*.example.org");
});
