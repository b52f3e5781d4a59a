import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { foreignDrops } from "./foreign-drop.ts";
import { AddressPool, chooseSubnet, isAddress, toNumber, toText } from "./subnet.ts";

test("the chosen subnet overlaps none that the host uses, wider or narrower", () => {
  expect(chooseSubnet([])).toEqual({ address: "10.64.0.0", prefix: 16 });
  expect(chooseSubnet([{ address: "10.64.9.0", prefix: 24 }]).address).toBe("10.71.0.0");
  expect(chooseSubnet([{ address: "10.0.0.0", prefix: 8 }]).address).toBe("192.168.112.0");
  expect(chooseSubnet([{ address: "0.0.0.0", prefix: 0 }]).address).toBe("10.64.0.0");
  const all = [
    { address: "10.0.0.0", prefix: 8 },
    { address: "192.168.0.0", prefix: 16 },
  ];
  try {
    chooseSubnet(all);
    expect.unreachable();
  } catch (error) {
    expect(isKind(error, "exhausted")).toBe(true);
  }
});

test("addresses: each once, never network, gateway or broadcast, a freed one last", () => {
  const pool = new AddressPool({ address: "10.0.0.77", prefix: 29 });
  expect(pool.gateway).toBe("10.0.0.73");
  pool.hold("10.0.0.75");
  expect([pool.take(), pool.take()]).toEqual(["10.0.0.74", "10.0.0.76"]);
  pool.free("10.0.0.74");
  expect([pool.take(), pool.take(), pool.take()]).toEqual(["10.0.0.77", "10.0.0.78", "10.0.0.74"]);
  expect(() => pool.take()).toThrow("all addresses of 10.0.0.72/29 are taken");
});

test("addresses go to numbers and back", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => isAddress(address) && toText(toNumber(address)) === address));
  for (const wrong of ["1.2.3", "1.2.3.256", "a.b.c.d", "", "1.2.3.4.5", "::1"]) expect(isAddress(wrong)).toBe(false);
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
