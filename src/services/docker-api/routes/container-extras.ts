import type { PortMapping } from "#containers/network/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { HostConfig, PortBinding } from "#formats/docker/container.ts";
import type { Call, Route } from "../contract.ts";
import { portMappings } from "../create/ports.ts";

/** What can be done to a running container and Docker's API has no page for. */
export function containerExtraRoutes(engine: Engine): Route[] {
  const base = "/gantry/v1/containers/:id";
  return [
    {
      method: "POST",
      path: `${base}/ports`,
      handle: async (call) => {
        const table: Record<string, Required<PortBinding>[]> = {};
        for (const mapping of await asked(call)) {
          const published = await engine.containers.publish(call.params.id!, mapping);
          const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = "" } = published ?? mapping;
          const key = `${containerPort}/${protocol}`;
          table[key] = [...(table[key] ?? []), { HostIp: hostAddress, HostPort: String(hostPort) }];
        }
        return { status: 200, json: { Ports: table } };
      },
    },
    {
      method: "DELETE",
      path: `${base}/ports`,
      handle: async (call) => {
        for (const mapping of await asked(call)) await engine.containers.unpublish(call.params.id!, mapping);
        return { status: 204 };
      },
    },
  ];
}

async function asked(call: Call): Promise<PortMapping[]> {
  const { PortBindings } = await call.json<Pick<HostConfig, "PortBindings">>();
  return portMappings({ PortBindings: PortBindings ?? {} }, []);
}
