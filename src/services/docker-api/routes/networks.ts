import { GantryError, isKind } from "#base/core/errors.ts";
import { endpointsOf } from "#containers/lifecycle/networking.ts";
import {
  defaultNetwork,
  egressOption,
  type NetworkDriver,
  type NetworkRecord,
  type SubnetSpec,
} from "#containers/network/contract.ts";
import { parseEgress } from "#containers/network/egress.ts";
import type { Engine } from "#engine/contract.ts";
import type { EndpointConfig } from "#formats/docker/container.ts";
import type { NetworkCreateBody, NetworkInspect } from "#formats/docker/network.ts";
import { filters, onlyFilters } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { endpointRequest } from "../create/networks.ts";
import { hasLabel } from "../labels.ts";
import { moment } from "../moment.ts";
import { builtInNetworks, isBuiltIn, networkShape } from "../shape/network.ts";

interface MemberBody {
  readonly Container: string;
  readonly EndpointConfig: EndpointConfig | null;
  readonly Force: boolean;
}

export function networkRoutes(engine: Engine): Route[] {
  return [
    { method: "GET", path: "/networks", handle: (call) => list(engine, call) },
    { method: "POST", path: "/networks/create", handle: (call) => create(engine, call) },
    { method: "POST", path: "/networks/prune", handle: (call) => prune(engine, call) },
    {
      method: "GET",
      path: "/networks/:name",
      handle: (call) => ({ status: 200, json: inspect(engine, call.params.name!) }),
    },
    {
      method: "DELETE",
      path: "/networks/:name",
      handle: async (call) => {
        await remove(engine, call.params.name!);
        return { status: 204 };
      },
    },
    { method: "POST", path: "/networks/:name/connect", handle: (call) => connect(engine, call) },
    { method: "POST", path: "/networks/:name/disconnect", handle: (call) => disconnect(engine, call) },
  ];
}

function inspect(engine: Engine, name: string): NetworkInspect {
  const plain = builtInNetworks(engine, true).find(({ Name, Id }) => Name === name || Id === name);
  return plain ?? networkShape(engine, engine.networks.get(name), true);
}

/** Containers that would be in it, running or not. */
function wishers(engine: Engine, name: string): number {
  return engine.containers.list().filter(({ sandbox }) => endpointsOf(sandbox).some(({ network }) => network === name))
    .length;
}

const listFilters = ["dangling", "driver", "id", "label", "name", "scope", "type"];

function matches(engine: Engine, network: NetworkInspect, wanted: ReadonlyMap<string, readonly string[]>): boolean {
  const own = network.Name === defaultNetwork || isBuiltIn(network.Name);
  const tests: Readonly<Record<string, (value: string) => boolean>> = {
    dangling: (value) => (value === "true" || value === "1") === (!own && wishers(engine, network.Name) === 0),
    driver: (value) => network.Driver === value,
    id: (value) => network.Id.startsWith(value),
    label: (value) => hasLabel(network.Labels, value),
    name: (value) => network.Name.includes(value),
    scope: (value) => value === "local",
    type: (value) => (value === "builtin") === own,
  };
  return [...wanted].every(([key, values]) =>
    key === "label" ? values.every(tests[key]!) : values.some(tests[key] ?? (() => true)),
  );
}

function list(engine: Engine, call: Call): Answer {
  const wanted = filters(call.query);
  onlyFilters("networks", wanted, listFilters);
  const all = [
    ...engine.networks.list().map((record) => networkShape(engine, record, false)),
    ...builtInNetworks(engine, false),
  ];
  return { status: 200, json: all.filter((network) => matches(engine, network, wanted)) };
}

const drivers: readonly string[] = ["bridge", "macvlan", "ipvlan"] satisfies NetworkDriver[];

function driverOf(name: string): NetworkDriver {
  if (drivers.includes(name)) return name as NetworkDriver;
  const known = isBuiltIn(name) || name === "null";
  throw new GantryError(known ? "denied" : name === "overlay" ? "unsupported" : "not-found", {
    doing: "make the network with the driver",
    on: name,
    because: known
      ? `only one instance of "${name}" network is allowed`
      : name === "overlay"
        ? "overlay networks span machines, and this engine is on one"
        : `could not find plugin ${name} in v1 plugin registry: plugin not found`,
    next: `Drivers are ${drivers.join(", ")}.`,
  });
}

async function create(engine: Engine, call: Call): Promise<Answer> {
  const body = (await call.json<NetworkCreateBody>()) as NetworkCreateBody;
  refuseNotServed(body);
  const egress = body.Options?.[egressOption];
  if (egress !== undefined) parseEgress(egress.split(","));
  const record = await engine.networks.create({
    name: body.Name ?? "",
    driver: driverOf(body.Driver || "bridge"),
    subnets: (body.IPAM?.Config ?? []).flatMap((config): SubnetSpec[] =>
      config.Subnet === undefined || config.Subnet === ""
        ? []
        : [
            {
              subnet: config.Subnet,
              ...(config.Gateway ? { gateway: config.Gateway } : {}),
              ...(config.IPRange ? { range: config.IPRange } : {}),
              ...(config.AuxiliaryAddresses ? { reserved: config.AuxiliaryAddresses } : {}),
            },
          ],
    ),
    ...(body.EnableIPv6 === true ? { ipv6: true } : {}),
    internal: body.Internal === true,
    attachable: body.Attachable === true,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
  });
  tell(engine, "create", record);
  return { status: 201, json: { Id: record.id, Warning: "" } };
}

function refuseNotServed(body: NetworkCreateBody): void {
  const asked = [
    [body.Ingress === true, "an ingress network is a swarm's"],
    [body.ConfigOnly === true || (body.ConfigFrom?.Network ?? "") !== "", "configuration networks are not served"],
    [body.EnableIPv4 === false, "a network without IPv4 is not served"],
    [(body.Scope ?? "local") !== "local" && body.Scope !== "", "only local networks are served"],
    [!["", "default", undefined].includes(body.IPAM?.Driver), `the address driver ${body.IPAM?.Driver} is not here`],
  ] as const;
  const because = asked.find(([asks]) => asks)?.[1];
  if (because === undefined) return;
  throw new GantryError("unsupported", { doing: "make the network", on: body.Name, because });
}

function tell(engine: Engine, action: string, record: NetworkRecord, more: Record<string, string> = {}): void {
  const attributes = { name: record.name, type: record.driver, ...more };
  engine.events.publish({ type: "network", action, id: record.id, attributes });
}

async function remove(engine: Engine, name: string): Promise<void> {
  if (isBuiltIn(name)) {
    throw new GantryError("denied", {
      doing: "remove the network",
      on: name,
      because: `${name} is a pre-defined network and cannot be removed`,
    });
  }
  const record = engine.networks.get(name);
  await engine.networks.remove(name);
  tell(engine, "destroy", record);
}

async function connect(engine: Engine, call: Call): Promise<Answer> {
  const body = await call.json<MemberBody>();
  const record = engine.networks.get(call.params.name!);
  const container = engine.containers.get(body.Container ?? "");
  await engine.containers.connect(container.id, endpointRequest(engine, record.name, body.EndpointConfig ?? {}));
  tell(engine, "connect", record, { container: container.id });
  return { status: 200 };
}

async function disconnect(engine: Engine, call: Call): Promise<Answer> {
  const body = await call.json<MemberBody>();
  const record = engine.networks.get(call.params.name!);
  try {
    const container = engine.containers.get(body.Container ?? "");
    await engine.containers.disconnect(container.id, record.name);
    tell(engine, "disconnect", record, { container: container.id });
  } catch (error) {
    // By force one that has gone already is out of it.
    if (body.Force !== true || !isKind(error, "not-found")) throw error;
  }
  return { status: 200 };
}

async function prune(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  onlyFilters("networks to prune", wanted, ["until", "label", "label!"]);
  const until = wanted.get("until")?.[0];
  const before = until === undefined ? Number.POSITIVE_INFINITY : moment(until, "prune networks until");
  const deleted: string[] = [];
  for (const record of engine.networks.list()) {
    const holds = (value: string) => hasLabel(record.labels, value);
    const chosen = (wanted.get("label") ?? []).every(holds) && !(wanted.get("label!") ?? []).some(holds);
    if (record.name === defaultNetwork || !chosen || record.created > before) continue;
    if (wishers(engine, record.name) > 0) continue;
    await remove(engine, record.name);
    deleted.push(record.name);
  }
  return { status: 200, json: { NetworksDeleted: deleted.length === 0 ? null : deleted } };
}
