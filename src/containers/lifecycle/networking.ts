import { GantryError } from "#base/core/errors.ts";
import {
  defaultNetwork,
  type EndpointRequest,
  type PortMapping,
  type PublishedPort,
} from "#containers/network/contract.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerRecord, RunningNetwork, SandboxSpec } from "./contract.ts";
import { writeSandboxFiles } from "./name-files.ts";

/** The networks a sandbox wants to be in. */
export function endpointsOf({ network }: SandboxSpec): readonly EndpointRequest[] {
  if (network.kind === "bridge") return [{ network: defaultNetwork }];
  return network.kind === "networks" ? network.endpoints : [];
}

/** What others may call a container, beside the aliases it has in one network only. */
export function namesOf({ name, id }: Pick<ContainerRecord, "name" | "id">): readonly string[] {
  return [name, id.slice(0, 12)];
}

/** Changes the wish and, when the container runs, what there is. Call it inside `entry.serial`. */
export async function connectNetwork(context: Context, entry: Entry, request: EndpointRequest): Promise<void> {
  const { record } = entry;
  const networks = mustHaveNetworks(context, record, request.network);
  const { name } = networks.get(request.network);
  const endpoints = endpointsOf(record.sandbox);
  if (endpoints.some(({ network }) => network === name)) {
    throw new GantryError("denied", {
      doing: "connect to the network",
      on: name,
      because: `endpoint with name ${record.name} already exists in network ${name}`,
    });
  }
  const wanted = { ...request, network: name };
  const running = entry.running ? await networks.connect(record.id, wanted) : undefined;
  change(context, entry, "connect", [...endpoints, wanted], running);
}

export async function disconnectNetwork(context: Context, entry: Entry, network: string): Promise<void> {
  const { record } = entry;
  const networks = mustHaveNetworks(context, record, network);
  const { name } = networks.get(network);
  const endpoints = endpointsOf(record.sandbox);
  if (!endpoints.some((endpoint) => endpoint.network === name)) {
    throw new GantryError("denied", {
      doing: "disconnect from the network",
      on: name,
      because: `container ${record.name} is not connected to network ${name}`,
    });
  }
  const running = entry.running ? await networks.disconnect(record.id, name) : undefined;
  const rest = endpoints.filter((endpoint) => endpoint.network !== name);
  change(context, entry, "disconnect", rest, running);
}

/** Docker has no verb for it: one more port while the container runs. */
export async function publishPort(
  context: Context,
  entry: Entry,
  port: PortMapping,
): Promise<PublishedPort | undefined> {
  const { record } = entry;
  const networks = mustHaveNetworks(context, record, "published ports");
  const running = entry.running ? await networks.publish(record.id, port) : undefined;
  const published = running?.ports.at(-1);
  entry.set({
    sandbox: { ...record.sandbox, ports: [...(record.sandbox.ports ?? []), published ?? port] },
    ...(running === undefined ? {} : { network: running }),
  });
  context.table.update("publish", entry.record);
  return published;
}

export async function unpublishPort(context: Context, entry: Entry, port: PortMapping): Promise<void> {
  const { record } = entry;
  const networks = mustHaveNetworks(context, record, "published ports");
  const wished = (record.sandbox.ports ?? []).filter((one) => !matches(one, port));
  const gone = (record.network?.ports ?? []).filter((one) => matches(one, port));
  if (gone.length === 0 && wished.length === (record.sandbox.ports ?? []).length) {
    throw new GantryError("not-found", {
      doing: "take back the published port",
      on: `${port.containerPort}/${port.protocol}`,
      because: `the container ${record.name} does not publish it`,
      next: `See: gantry port ${record.name}`,
    });
  }
  let running: RunningNetwork | undefined;
  for (const one of entry.running ? gone : []) running = await networks.unpublish(record.id, one);
  entry.set({
    sandbox: { ...record.sandbox, ports: wished },
    ...(running === undefined ? {} : { network: running }),
  });
  context.table.update("unpublish", entry.record);
}

/** What is not named matches any. */
function matches(one: PortMapping, wanted: PortMapping): boolean {
  return (
    one.protocol === wanted.protocol &&
    one.containerPort === wanted.containerPort &&
    (wanted.hostPort === undefined || wanted.hostPort === 0 || one.hostPort === wanted.hostPort) &&
    (wanted.hostAddress === undefined || (one.hostAddress ?? "127.0.0.1") === wanted.hostAddress)
  );
}

function change(
  context: Context,
  entry: Entry,
  step: "connect" | "disconnect",
  endpoints: readonly EndpointRequest[],
  running: RunningNetwork | undefined,
): void {
  const { sandbox } = entry.record;
  entry.set({
    sandbox: { ...sandbox, network: { kind: "networks", endpoints } },
    ...(running === undefined ? {} : { network: running }),
  });
  context.table.update(step, entry.record);
  if (running !== undefined) writeSandboxFiles(entry.paths, entry.record, running);
}

function mustHaveNetworks(context: Context, record: ContainerRecord, on: string): NonNullable<Context["networks"]> {
  const { kind } = record.sandbox.network;
  if (context.networks !== undefined && (kind === "networks" || kind === "bridge")) return context.networks;
  const words = { none: "private (none) mode", host: "host mode", container: "another container's network" } as const;
  throw new GantryError("denied", {
    doing: "change the networks of the container",
    on,
    because: `the container ${record.name} is in ${words[kind as keyof typeof words] ?? "no network"}`,
    next: "Create it with a bridge network.",
  });
}
