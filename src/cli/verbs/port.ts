import { GantryError } from "#base/core/errors.ts";
import type { ContainerInspect } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container>", "name or id").argument("[port]", "one port, as 80 or 53/udp");
    command.action((name: string, port: string | undefined) =>
      run(async (context) => {
        const client = await context.client();
        const info = await client.request<ContainerInspect>("GET", `/containers/${encodeURIComponent(name)}/json`);
        const wanted = port === undefined ? undefined : port.includes("/") ? port : `${port}/tcp`;
        const lines = Object.entries(info.NetworkSettings.Ports)
          .filter(([key]) => wanted === undefined || key === wanted)
          .flatMap(([key, bindings]) =>
            (bindings ?? []).map(
              ({ HostIp, HostPort }) => `${wanted === undefined ? `${key} -> ` : ""}${HostIp}:${HostPort}\n`,
            ),
          );
        if (wanted !== undefined && lines.length === 0) {
          throw new GantryError("not-found", {
            doing: "find the published port",
            on: wanted,
            because: `${name} publishes no such port`,
          });
        }
        context.stdout.write(lines.join(""));
        return undefined;
      }),
    );
  },
};
