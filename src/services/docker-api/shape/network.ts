import { createHash } from "node:crypto";
import type { NetworkRecord } from "#containers/network/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { NetworkContainer, NetworkInspect } from "#formats/docker/network.ts";
import { timestamp } from "./time.ts";

/** Ways to have no network of one's own, which Docker lists as networks. */
const builtIn = { host: "host", none: "null" } as const;

export function isBuiltIn(name: string): name is keyof typeof builtIn {
  return Object.hasOwn(builtIn, name);
}

/** Always the same, since nothing of them is kept. */
function builtInId(name: string): string {
  return createHash("sha256").update(`gantry network ${name}`).digest("hex");
}

export function builtInNetworks(engine: Engine, detailed: boolean): NetworkInspect[] {
  return Object.entries(builtIn).map(([name, driver]) => ({
    ...common,
    Name: name,
    Id: builtInId(name),
    Created: timestamp(engine.facts.startedAt),
    Driver: driver,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Containers: detailed ? plainMembers(engine, name) : {},
    Options: {},
    Labels: {},
  }));
}

const common = {
  Scope: "local",
  EnableIPv4: true,
  Ingress: false,
  ConfigFrom: { Network: "" },
  ConfigOnly: false,
} as const;

/** `detailed` adds who is in it, which a list leaves out. */
export function networkShape(engine: Engine, record: NetworkRecord, detailed: boolean): NetworkInspect {
  return {
    ...common,
    Name: record.name,
    Id: record.id,
    Created: timestamp(record.created),
    Driver: record.driver,
    EnableIPv6: record.ipv6,
    IPAM: {
      Driver: "default",
      Options: null,
      Config: record.subnets.map(({ subnet, gateway, range, reserved }) => ({
        Subnet: subnet,
        ...(range === undefined ? {} : { IPRange: range }),
        Gateway: gateway,
        ...(reserved === undefined ? {} : { AuxiliaryAddresses: reserved }),
      })),
    },
    Internal: record.internal,
    Attachable: record.attachable,
    Containers: detailed ? members(engine, record) : {},
    Options: record.options,
    Labels: record.labels,
  };
}

function members(engine: Engine, record: NetworkRecord): Record<string, NetworkContainer> {
  const names = new Map(engine.containers.list().map(({ id, name }) => [id, name]));
  return Object.fromEntries(
    engine.networks.members(record.id).flatMap(({ owner, endpoint }) => {
      const name = names.get(owner);
      // A build's step is in the default network too, and is no container.
      if (name === undefined) return [];
      return [
        [
          owner,
          {
            Name: name,
            EndpointID: endpoint.id,
            MacAddress: endpoint.mac,
            IPv4Address: `${endpoint.address}/${endpoint.prefixLength}`,
            IPv6Address: endpoint.address6 === undefined ? "" : `${endpoint.address6}/${endpoint.prefixLength6}`,
          },
        ],
      ];
    }),
  );
}

function plainMembers(engine: Engine, kind: string): Record<string, NetworkContainer> {
  const running = engine.containers
    .list()
    .filter(({ state, sandbox }) => state.status === "running" && sandbox.network.kind === kind);
  return Object.fromEntries(
    running.map(({ id, name }) => [
      id,
      { Name: name, EndpointID: id, MacAddress: "", IPv4Address: "", IPv6Address: "" },
    ]),
  );
}
