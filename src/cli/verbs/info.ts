import type { InfoAnswer } from "#formats/docker/system.ts";
import type { Verb } from "../contract.ts";
import { compile } from "../output/template.ts";
import { size } from "../output/words.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .option("-f, --format <format>", "json, or a template like {{.DataRoot}}")
      .option("--json", "all of it as JSON");
    command.action((options: { format?: string; json?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        const info = await client.request<InfoAnswer>("GET", "/info");
        if (options.json === true || options.format === "json") context.stdout.write(`${JSON.stringify(info)}\n`);
        else if (options.format !== undefined) context.stdout.write(`${compile(options.format)(info)}\n`);
        else context.stdout.write(plain(info));
        return undefined;
      }),
    );
  },
};

function plain(info: InfoAnswer): string {
  const lines: readonly (readonly [string, string | number])[] = [
    ["Engine", `${info.ServerVersion}, process ${info.EnginePid}`],
    ["Socket", info.Socket],
    ["Data root", info.DataRoot],
    [
      "Containers",
      `${info.Containers} (${info.ContainersRunning} running, ${info.ContainersPaused} paused, ${info.ContainersStopped} stopped)`,
    ],
    ["Images", info.Images],
    ["Runtime", info.DefaultRuntime],
    ["Cgroups", `v${info.CgroupVersion}, ${info.CgroupDriver}`],
    ["Security", info.SecurityOptions.join(", ")],
    ["System", `${info.OperatingSystem}, kernel ${info.KernelVersion}, ${info.Architecture}`],
    ["Machine", `${info.NCPU} processors, ${size(info.MemTotal)} memory`],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(12)} ${value}\n`).join("");
}
