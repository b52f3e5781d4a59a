/** Makes docs/docker-api.md from the route table, the refused paths and the list of differences. */
import { join } from "node:path";
import type { Engine } from "#engine/contract.ts";
import { apiVersion, minApiVersion } from "#formats/docker/contract.ts";
import type { Addresses } from "#services/docker-api/addresses.ts";
import { refusedPaths } from "#services/docker-api/refused-paths.ts";
import { addressRoutes } from "#services/docker-api/routes/addresses.ts";
import { apiRoutes } from "#services/docker-api/server.ts";
import { differences } from "../../test/oracle/differences.ts";

export const page = join(import.meta.dir, "../../docs/docker-api.md");

export interface Endpoint {
  readonly method: string;
  /** As the description writes it: "/images/{name}/json". */
  readonly path: string;
}

const shown = (path: string) => path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
const key = ({ method, path }: Endpoint) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`;

/** Routes ask the engine for nothing until they are called. */
export const served: readonly Endpoint[] = [...apiRoutes({} as Engine), ...addressRoutes({} as Addresses)].map(
  ({ method, path }) => ({
    method,
    path: shown(path),
  }),
);

export const refused = refusedPaths.map((refusal) => ({ ...refusal, path: shown(refusal.path) }));
const servedKeys = new Set(served.map(key));

/** Whether a method and path of the description is answered, one way or the other. */
export function isKnown(endpoint: Endpoint): boolean {
  return servedKeys.has(key(endpoint)) || refused.some((refusal) => key(refusal) === key(endpoint));
}

function groupOf(path: string): string {
  return path.startsWith("/gantry/") ? "Gantry's own" : (path.split("/")[1] ?? "");
}

function servedTable(): string {
  const groups = new Map<string, Map<string, string[]>>();
  for (const { method, path } of served) {
    const paths = groups.get(groupOf(path)) ?? new Map<string, string[]>();
    paths.set(path, [...(paths.get(path) ?? []), method]);
    groups.set(groupOf(path), paths);
  }
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, paths]) => {
      const cells = [...paths]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, methods]) => `${methods.join(", ")} \`${path}\``);
      return `| ${group} | ${cells.join(" · ")} |`;
    });
  return ["| group | pages |", "|---|---|", ...rows].join("\n");
}

function refusedTable(): string {
  const reasons = new Map<string, string[]>();
  for (const { method, path, kind, because, next } of refused) {
    const reason = `${kind} | ${because.replace(":name", "…")}${next === undefined ? "" : `. ${next}`}`;
    reasons.set(reason, [...(reasons.get(reason) ?? []), `${method} \`${path}\``]);
  }
  const rows = [...reasons].map(([reason, pages]) => `| ${pages.join(" · ")} | ${reason} |`);
  return ["| pages | kind | reason |", "|---|---|---|", ...rows].join("\n");
}

export function render(): string {
  return `# The Docker Engine API

<!-- Made by scripts/docs/docker-api.ts. -->

Served on a unix socket, v${apiVersion}, down to v${minApiVersion}. \`DOCKER_HOST=unix:///run/gantry/gantry.sock docker ps\` works; the docker
program and dockerode are test clients (\`test/clients.test.ts\`). \`test/api\` holds cases that are true of Docker's own
engine too; \`npm run test:oracle\` runs them against both and compares. Further addresses, with TLS and to read only, are
served by \`gantry engine listen\`. BuildKit's \`/grpc\` and \`/session\` have [their own page](buildkit.md).

## Served

${servedTable()}

## Refused

Every other page of the description is answered with its reason.

${refusedTable()}

## Differences from Docker, on purpose

${differences
  .map(({ what, why }) => `- ${what}: ${why};`)
  .join("\n")
  .replace(/;$/, ".")}
`;
}

if (import.meta.main) {
  await Bun.write(page, render());
  console.log(`${served.length} served, ${refused.length} refused, ${differences.length} differences`);
}
