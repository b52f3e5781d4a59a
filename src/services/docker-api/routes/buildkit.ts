import type { Engine } from "#engine/contract.ts";
import type { BuildkitService } from "../buildkit/service.ts";
import type { Route } from "../contract.ts";

/** The two connections of a BuildKit client; see ../buildkit/contract.ts. */
export function buildkitRoutes(engine: Engine): Route[] {
  let opened: Promise<BuildkitService> | undefined;
  // Read when the first client comes: gRPC costs 70 ms that the engine's start has no use for.
  const service = () => {
    opened ??= import("../buildkit/service.ts").then(({ BuildkitService }) => new BuildkitService(engine));
    return opened;
  };
  return [
    {
      method: "POST",
      path: "/grpc",
      handle: async () => {
        const ready = await service();
        return { h2c: (socket) => ready.grpc(socket) };
      },
    },
    {
      method: "POST",
      path: "/session",
      handle: async ({ headers }) => {
        const ready = await service();
        return { h2c: (socket) => ready.session(socket, headers) };
      },
    },
  ];
}
