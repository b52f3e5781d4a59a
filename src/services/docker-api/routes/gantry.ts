import { GantryError } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import { flag } from "../call.ts";
import type { Route } from "../contract.ts";

/** What Docker's API has no page for; all below /gantry/v1. */
export function gantryRoutes(engine: Engine): Route[] {
  return [
    {
      method: "POST",
      path: "/gantry/v1/check",
      handle: async (call) => {
        const findings = await engine.store.check({ deep: flag(call.query, "deep"), signal: call.signal });
        const remaining = flag(call.query, "repair")
          ? await engine.store.repair(findings, { signal: call.signal })
          : findings;
        return { status: 200, json: { findings, remaining } };
      },
    },
    {
      method: "POST",
      path: "/gantry/v1/containers/:id/logs/clear",
      handle: async (call) => {
        await engine.containers.clearLogs(call.params.id!);
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: "/gantry/v1/foreign-drops",
      handle: async () => ({ status: 200, json: await engine.foreignDrops() }),
    },
    {
      method: "GET",
      path: "/gantry/v1/loop-lag",
      handle: ({ query, signal }) => {
        const seconds = measuredSeconds(query.get("seconds") ?? "1");
        return {
          status: 200,
          headers: { "Content-Type": "application/json" },
          stream: async (out) => {
            for await (const lag of engine.loopLag(seconds, signal)) await out.write(`${JSON.stringify(lag)}\n`);
          },
        };
      },
    },
    {
      method: "POST",
      path: "/gantry/v1/dismantle",
      handle: async () => {
        await engine.dismantle();
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: "/gantry/v1/registries",
      handle: async () => {
        await engine.registries.resume();
        return { status: 200, json: engine.registries.list() };
      },
    },
    {
      method: "POST",
      path: "/gantry/v1/registries",
      handle: async (call) => {
        const { Address } = await call.json<{ Address: string }>();
        const { address } = await engine.registries.serve({ address: Address ?? "" });
        return { status: 201, json: { Address: address } };
      },
    },
    {
      method: "DELETE",
      path: "/gantry/v1/registries/:address",
      handle: async (call) => {
        await engine.registries.stop(call.params.address!);
        return { status: 204 };
      },
    },
  ];
}

function measuredSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new GantryError("invalid", {
    doing: "measure the loop's lag",
    on: text,
    because: "the seconds are a number from 0.1 to 3600",
  });
}
