import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { parseAddress } from "#base/core/ip-address.ts";
import { AddressPool } from "./address-pool.ts";
import { foreignDrops } from "./foreign-drop.ts";
import { chooseSubnet, contains, localSubnet6, overlap, parseSubnet, subnetText } from "./subnet.ts";

const subnets = (...texts: string[]) => texts.map((text) => parseSubnet(text)!);

test("the chosen subnet overlaps none that the host uses, wider or narrower", () => {
  const chosen = (...used: string[]) => subnetText(chooseSubnet(subnets(...used)));
  expect(chosen()).toBe("10.64.0.0/16");
  expect(chosen("10.64.9.0/24")).toBe("10.71.0.0/16");
  expect(chosen("10.0.0.0/8")).toBe("192.168.112.0/20");
  expect(chosen("0.0.0.0/0")).toBe("10.64.0.0/16");
  expect(subnetText(chooseSubnet(subnets("10.64.0.0/16", "10.71.0.0/22"), "slice"))).toBe("10.71.4.0/22");
  try {
    chosen("10.0.0.0/8", "192.168.0.0/16");
    expect.unreachable();
  } catch (error) {
    expect(isKind(error, "exhausted")).toBe(true);
  }
});

test("four hundred networks find room beside each other", () => {
  const used = subnets("10.64.0.0/16");
  for (let i = 0; i < 400; i += 1) {
    const next = chooseSubnet(used, "slice");
    expect(used.some((other) => overlap(other, next))).toBe(false);
    used.push(next);
  }
});

test("subnets are read with their host bits left out, and what is none is not", () => {
  expect(subnetText(parseSubnet("10.0.0.77/29")!)).toBe("10.0.0.72/29");
  expect(subnetText(parseSubnet("fd00:1::9/64")!)).toBe("fd00:1::/64");
  for (const wrong of ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "x/8", "10.0.0.0/8/8"]) {
    expect(parseSubnet(wrong)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, prefix) =>
      contains(parseSubnet(`${address}/${prefix}`)!, parseAddress(address)!),
    ),
  );
  expect(subnetText(localSubnet6("0123456789abcdef"))).toBe("fd01:2345:6789:abcd::/64");
});

test("addresses: each once, never network, gateway or broadcast, a freed one last", () => {
  const pool = new AddressPool({ subnet: parseSubnet("10.0.0.72/29")!, gateway: "10.0.0.73" });
  pool.hold("10.0.0.75");
  expect([pool.take(), pool.take()]).toEqual(["10.0.0.74", "10.0.0.76"]);
  pool.free("10.0.0.74");
  expect([pool.take(), pool.take(), pool.take()]).toEqual(["10.0.0.77", "10.0.0.78", "10.0.0.74"]);
  expect(() => pool.take()).toThrow("all addresses of 10.0.0.72/29 are taken");
});

test("an asked address is given once, and only inside the subnet", () => {
  const pool = new AddressPool({
    subnet: parseSubnet("fd00::/64")!,
    gateway: "fd00::1",
    range: parseSubnet("fd00::100/120")!,
    reserved: ["fd00::100"],
  });
  expect(pool.take()).toBe("fd00::101");
  expect(pool.claim("fd00::5")).toBe("fd00::5");
  expect(() => pool.claim("fd00::5")).toThrow("already in use");
  expect(() => pool.claim("fd00::1")).toThrow("already in use");
  expect(() => pool.claim("fd01::5")).toThrow("is not in fd00::/64");
  expect(() => pool.claim("10.0.0.1")).toThrow("is not in fd00::/64");
});

test("a foreign forward drop is found with the exact command for its owner, and our own chain is not one", () => {
  const chain = (table: string, name: string, more: object = {}) => ({ family: "ip", table, name, ...more });
  const drop = { hook: "forward", policy: "drop" };
  const remedies = (...chains: Parameters<typeof foreignDrops>[0]) =>
    foreignDrops(chains, "gantry0", "gantry").map((found) => found.remedy);
  expect(remedies(chain("filter", "FORWARD", { ...drop, policy: "accept" }), chain("gantry", "passing", drop))).toEqual(
    [],
  );
  expect(remedies(chain("filter", "FORWARD", drop))).toEqual([
    "iptables -I FORWARD -i gantry0 -j ACCEPT && iptables -I FORWARD -o gantry0 -j ACCEPT",
  ]);
  expect(remedies(chain("filter", "FORWARD", drop), chain("filter", "DOCKER-USER"))[0]).toStartWith(
    "iptables -I DOCKER-USER -i gantry0",
  );
  expect(remedies(chain("filter", "FORWARD", drop), chain("filter", "ufw-user-forward"))[0]).toStartWith(
    "ufw route allow in on gantry0",
  );
  expect(remedies({ family: "inet", table: "mine", name: "fwd", ...drop })[0]).toBe(
    "nft insert rule inet mine fwd iifname gantry0 accept && nft insert rule inet mine fwd oifname gantry0 accept",
  );
});
