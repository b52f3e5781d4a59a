import type { PortBinding } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { parsePublish } from "../publish.ts";

/** What Docker's users have asked for since 2013: ports of a container that runs. */
export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>")
      .argument("<port...>", "as of run: 8080:80, 0.0.0.0:53:53/udp, 80")
      .action((container: string, words: string[]) =>
        run(async (context) => {
          const client = await context.client();
          const { bindings } = parsePublish(words, []);
          const { Ports } = await client.request<{ Ports: Record<string, Required<PortBinding>[]> }>(
            "POST",
            `/gantry/v1/containers/${encodeURIComponent(container)}/ports`,
            { json: { PortBindings: bindings } },
          );
          for (const [inside, outside] of Object.entries(Ports)) {
            for (const { HostIp, HostPort } of outside) {
              const address = HostIp.includes(":") ? `[${HostIp}]` : HostIp;
              context.stdout.write(HostPort === "" ? `${inside}\n` : `${inside} -> ${address}:${HostPort}\n`);
            }
          }
          return undefined;
        }),
      );
  },
};
