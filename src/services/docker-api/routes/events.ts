import type { Engine, EngineEvent } from "#engine/contract.ts";
import type { EventMessage } from "#formats/docker/contract.ts";
import { filters, onlyFilters } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { eventMatcher, knownEventFilters } from "../event-filter.ts";
import { instant } from "../moment.ts";

export function eventRoutes(engine: Engine): Route[] {
  return [{ method: "GET", path: "/events", handle: (call) => events(engine, call) }];
}

/** JSON takes any number of digits, a JavaScript number only 15 of these 19. */
function exactNumber(value: bigint): number {
  return (JSON as unknown as { rawJSON(text: string): number }).rawJSON(value.toString());
}

function eventMessage(event: EngineEvent): EventMessage {
  return {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: event.attributes },
    scope: "local",
    time: Number(event.timeNano / 1_000_000_000n),
    timeNano: exactNumber(event.timeNano),
  };
}

function events(engine: Engine, call: Call): Answer {
  const wanted = filters(call.query);
  onlyFilters("events", wanted, knownEventFilters);
  const since = instant(call, "since");
  const until = instant(call, "until");
  const matches = eventMatcher(wanted);
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: async (out) => {
      const options = {
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        signal: call.signal,
      };
      for await (const event of engine.events.read(options)) {
        const message = eventMessage(event);
        if (matches(message)) await out.write(`${JSON.stringify(message)}\n`);
      }
    },
  };
}
