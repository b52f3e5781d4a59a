import { GantryError } from "#base/core/errors.ts";
import { selfCommand } from "#base/core/self.ts";
import type { Verb } from "../contract.ts";
import { table } from "../output/table.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .command("serve")
      .description("serve images to docker, skopeo, podman and gantry")
      .option("--address <host:port>", "where to listen", "127.0.0.1:5000")
      .option("--data <folder>", "in the foreground, on a data root of its own, without an engine")
      .action((options: { address: string; data?: string }) =>
        run(async (context) => {
          if (options.data !== undefined) return foreground(options.address, options.data);
          const client = await context.client();
          const { Address } = await client.request<{ Address: string }>("POST", "/gantry/v1/registries", {
            json: { Address: options.address },
          });
          context.stdout.write(
            `The engine serves a registry at ${Address}, whenever it runs, until: gantry registry stop ${Address}\n`,
          );
          return undefined;
        }),
      );
    command
      .command("stop")
      .description("stop serving at an address")
      .argument("<address>")
      .action((address: string) =>
        run(async (context) => {
          await (await context.client()).request("DELETE", `/gantry/v1/registries/${encodeURIComponent(address)}`);
          return undefined;
        }),
      );
    command
      .command("ls")
      .description("list where the engine serves registries")
      .option("--json", "as JSON")
      .action((options: { json?: boolean }) =>
        run(async (context) => {
          const client = await context.client();
          const items = await client.request<{ address: string; failure?: string }[]>("GET", "/gantry/v1/registries");
          context.stdout.write(
            options.json === true
              ? `${JSON.stringify(items)}\n`
              : table(
                  ["ADDRESS", "STATE"],
                  items.map(({ address, failure }) => [address, failure ?? "served"]),
                ),
          );
          return undefined;
        }),
      );
  },
};

/** Until a signal ends it; the registry's own process does the work. */
async function foreground(address: string, data: string): Promise<number> {
  const child = Bun.spawn([...selfCommand(), "registry-server", address, data], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  const forward = (signal: NodeJS.Signals) => () => child.kill(signal);
  process.on("SIGINT", forward("SIGINT"));
  process.on("SIGTERM", forward("SIGTERM"));
  const code = await child.exited;
  if (child.signalCode !== null && child.signalCode !== "SIGTERM" && child.signalCode !== "SIGINT") {
    throw new GantryError("internal", {
      doing: "serve the registry",
      because: `its process was ended by ${child.signalCode}`,
    });
  }
  return code;
}
