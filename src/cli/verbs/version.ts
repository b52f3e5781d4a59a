import { isKind } from "#base/core/errors.ts";
import { commit, version } from "#base/core/version.ts";
import { createClient } from "#client/http-client.ts";
import { apiVersion } from "#formats/docker/contract.ts";
import type { VersionAnswer } from "#formats/docker/system.ts";
import type { Verb } from "../contract.ts";
import { compile } from "../output/template.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .option("-f, --format <format>", "json, or a template like {{.Client.Version}}")
      .option("--json", "all of it as JSON");
    command.action((options: { format?: string; json?: boolean }) =>
      run(async (context) => {
        // Asking for the version is no reason to start an engine.
        let server: VersionAnswer | undefined;
        try {
          server = await createClient(context.host).request<VersionAnswer>("GET", "/version");
        } catch (error) {
          if (!isKind(error, "unavailable")) throw error;
        }
        const all = {
          Client: { Version: version, ApiVersion: apiVersion, GitCommit: commit, Bun: Bun.version },
          Server: server ?? null,
        };
        if (options.json === true || options.format === "json") context.stdout.write(`${JSON.stringify(all)}\n`);
        else if (options.format !== undefined) context.stdout.write(`${compile(options.format)(all)}\n`);
        else {
          context.stdout.write(`Client: ${version} (API ${apiVersion}, commit ${commit}, Bun ${Bun.version})\n`);
          context.stdout.write(
            server === undefined
              ? "Engine: none runs\n"
              : `Engine: ${server.Version} (API ${server.ApiVersion}, commit ${server.GitCommit}, kernel ${server.KernelVersion})\n`,
          );
        }
        return undefined;
      }),
    );
  },
};
