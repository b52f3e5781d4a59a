import { join } from "node:path";
import Docker from "dockerode";
import { startEngine } from "../../test/support/engine.ts";
import { run } from "../command.ts";
import type { ApiEngine, Undo } from "../contract.ts";
import { family } from "../processes.ts";

/** Where `startGantry` puts the one-file program. */
export function programIn(scratch: string): string {
  return join(scratch, "gantry");
}

/** The one-file program of this checkout, as a user installs it, on data and run roots of its own. */
export async function startGantry(undo: Undo, scratch: string): Promise<ApiEngine> {
  const program = programIn(scratch);
  await run({ words: [process.execPath, join(import.meta.dir, "../../scripts/build-binary.ts"), program], env: {} });
  const starting = startEngine({ program });
  const close = undo.add("Gantry's engine", async () => {
    await (await starting)[Symbol.asyncDispose]();
  });
  const engine = await starting;
  await engine.ok("run", "--rm", "busybox", "true");
  const command = (...words: string[]) => ({ words: [program, ...words], env: engine.env });
  return {
    name: "gantry",
    version: (await engine.ok("version", "--format", "{{.Server.Version}}")) || "unknown",
    image: "busybox",
    remove: ["rm", "-f"],
    command,
    api: new Docker({ socketPath: engine.socket }),
    processes: async () => family(await engine.pid(), (name) => !["conmon", "crun"].includes(name)),
    async restart() {
      await engine.ok("engine", "stop");
      return (await run(command("engine", "start"))).milliseconds;
    },
    [Symbol.asyncDispose]: close,
  };
}
