import type { Engine } from "#engine/contract.ts";
import type { Route } from "../contract.ts";
import { authOf } from "./images.ts";

/** What a registry has under a name, without pulling it. */
export function distributionRoutes(engine: Engine): Route[] {
  return [
    {
      method: "GET",
      path: "/distribution/:name{.+}/json",
      handle: async (call) => {
        const found = await engine.images.lookUp(call.params.name!, { ...authOf(call), signal: call.signal });
        const { mediaType, digest, size } = found.descriptor;
        return { status: 200, json: { Descriptor: { mediaType, digest, size }, Platforms: found.platforms } };
      },
    },
  ];
}
