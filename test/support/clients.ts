import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { run, type TestEngine } from "./engine.ts";

/** The folder of clients that this project does not depend on. */
export async function clientsFolder(): Promise<string> {
  const script = join(import.meta.dir, "../../scripts/setup-clients");
  const { code, out, err } = await run([script], { ...process.env } as Record<string, string>);
  if (code !== 0) throw new Error(`no clients: ${err}`);
  return out.trim();
}

/** Gives the engine's docker program its plugins: compose and buildx, as Docker's users have them. */
export async function withPlugins(engine: TestEngine, ...names: ("buildx" | "compose")[]): Promise<void> {
  const clients = await clientsFolder();
  const folder = join(engine.env.DOCKER_CONFIG!, "cli-plugins");
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    symlinkSync(join(clients, "root/usr/libexec/docker/cli-plugins", `docker-${name}`), join(folder, `docker-${name}`));
  }
}
