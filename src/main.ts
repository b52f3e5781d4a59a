/**
 * The program's one entry. The engine's own processes load the engine, everything else loads the command line, so
 * that neither pays for the other at start-up.
 */
const [, , first, second] = process.argv;

async function start(): Promise<number> {
  if (first === "engine" && second === "serve") {
    const { serve } = await import("#engine/serve.ts");
    const { createDockerApi } = await import("#services/docker-api/server.ts");
    const { workerEntries } = await import("./workers/entries.ts");
    return serve({ workers: workerEntries, listen: createDockerApi });
  }
  if (first === "engine" && second === "launch")
    return (await import("#engine/launch.ts")).launch(process.argv.slice(4));
  if (first === "engine" && second === "clear")
    return (await import("#engine/clear.ts")).clear(process.argv[4] === "--data");
  if (first === "engine" && second === "end-holder") return (await import("#engine/clear.ts")).endHolder();
  if (first === "engine" && second === "remove-data") return (await import("#engine/clear.ts")).removeData();
  if (first === "registry-server") {
    const { serveRegistry } = await import("#engine/registry-server.ts");
    const { workerEntries } = await import("./workers/entries.ts");
    return serveRegistry(process.argv[3] ?? "", process.argv[4] ?? "", workerEntries);
  }
  return (await import("#cli/main.ts")).main(process.argv.slice(2));
}

const code = await start();
process.exit(code);

export {};
