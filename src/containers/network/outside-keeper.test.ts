import { expect, test } from "bun:test";
import { GantryError } from "#base/core/errors.ts";
import type { OutsidePort, OutsidePorts } from "#base/system/holder/outside-ports.ts";
import type { Endpoint } from "./contract.ts";
import { outsideKeeper } from "./outside-keeper.ts";

const endpoint = { address: "10.64.0.2" } as Endpoint;

/** A machine's ports of which the first few asked for are taken. */
function machine(taken = 0): OutsidePorts & { readonly opened: Map<number, OutsidePort> } {
  const opened = new Map<number, OutsidePort>();
  let asked = 0;
  return {
    opened,
    async open(port) {
      asked += 1;
      if (asked <= taken) throw new GantryError("conflict", { doing: "publish the port", because: "it is taken" });
      opened.set(asked, port);
      return asked;
    },
    close: async (id) => void opened.delete(id),
    list: async () => [...opened].map(([id, port]) => ({ ...port, id })),
  };
}

test("any free port is one that is free inside and on the machine, however many are taken there", async () => {
  const outside = machine(3);
  const held = await outsideKeeper(outside).hold({ protocol: "tcp", containerPort: 80 }, endpoint);
  expect(outside.opened.get(held.outside!)).toMatchObject({
    hostAddress: "127.0.0.1",
    hostPort: held.port.hostPort,
    insidePort: held.port.hostPort,
  });
  held.bound?.[Symbol.dispose]();
});

test("a port that was named is tried once, and nothing stays bound inside when it is taken", async () => {
  const outside = machine(1);
  const keeper = outsideKeeper(outside);
  const mapping = { protocol: "tcp", containerPort: 80, hostPort: 48_123 } as const;
  await expect(keeper.hold(mapping, endpoint)).rejects.toThrow("it is taken");
  await keeper.letGo([await keeper.hold(mapping, endpoint)]);
  expect(outside.opened.size).toBe(0);
});

test("one port of several addresses leads to a port of its own inside for each", async () => {
  const keeper = outsideKeeper(machine());
  const at = (hostAddress: string) =>
    keeper.hold({ protocol: "tcp", containerPort: 80, hostAddress, hostPort: 48_124 }, endpoint);
  const all = [await at("0.0.0.0"), await at("::"), await at("192.0.2.7")];
  expect(all.map(({ port }) => port.hostPort)).toEqual([48_124, 48_124, 48_124]);
  expect(new Set(all.map(({ inside }) => inside.hostPort)).size).toBe(3);
  await keeper.letGo(all);
});

test("the next engine takes over what is open, and closes what nobody holds any more", async () => {
  const outside = machine();
  const before = outsideKeeper(outside);
  const kept = await before.hold({ protocol: "udp", containerPort: 53 }, endpoint);
  const dropped = await before.hold({ protocol: "tcp", containerPort: 80 }, endpoint);
  before.leave([kept, dropped]);
  const next = outsideKeeper(outside);
  const again = await next.holdAgain(kept.port);
  await next.closeOthers();
  expect([...outside.opened.keys()]).toEqual([again.outside!]);
  expect(again.inside).toEqual(kept.inside);
  await next.letGo([again]);
});
