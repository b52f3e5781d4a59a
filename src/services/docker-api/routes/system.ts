import type { Engine } from "#engine/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import type { Call, Route } from "../contract.ts";
import { info, version } from "./info.ts";

export function systemRoutes(engine: Engine): Route[] {
  const ping: Route["handle"] = (call) => ({
    status: 200,
    headers: {
      "Cache-Control": "no-cache, no-store, must-revalidate",
      Pragma: "no-cache",
      "Builder-Version": builderVersion(call),
    },
    text: "OK",
  });
  return [
    { method: "GET", path: "/_ping", handle: ping },
    {
      method: "HEAD",
      path: "/_ping",
      handle: (call) => ({
        status: 200,
        headers: { "Builder-Version": builderVersion(call), "Content-Type": "text/plain; charset=utf-8" },
      }),
    },
    { method: "GET", path: "/version", handle: () => ({ status: 200, json: version(engine) }) },
    { method: "GET", path: "/info", handle: () => ({ status: 200, json: info(engine) }) },
    {
      method: "POST",
      path: "/auth",
      handle: async (call) => {
        const { status } = await engine.images.login(await call.json<AuthConfig>(), call.signal);
        return { status: 200, json: { Status: status, IdentityToken: "" } };
      },
    },
  ];
}

/** Docker's program before 23 speaks BuildKit in another way (over /build): it is sent to the classic builder. */
function builderVersion({ headers }: Call): "1" | "2" {
  const major = /^Docker-Client\/(\d+)\./.exec(`${headers["user-agent"] ?? ""}`)?.[1];
  return major !== undefined && Number(major) < 23 ? "1" : "2";
}
