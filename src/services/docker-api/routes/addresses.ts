import { GantryError } from "#base/core/errors.ts";
import type { Addresses, AddressSpec } from "../addresses.ts";
import type { Route } from "../contract.ts";

/** Where else the API is served. */
export function addressRoutes(addresses: Addresses): Route[] {
  return [
    { method: "GET", path: "/gantry/v1/addresses", handle: () => ({ status: 200, json: addresses.list() }) },
    {
      method: "POST",
      path: "/gantry/v1/addresses",
      handle: async (call) => {
        const body = await call.json<AddressSpec>();
        if (typeof body.address !== "string") {
          throw new GantryError("invalid", { doing: "serve the API", because: "no address is named" });
        }
        const spec = { access: { kind: "full" }, ...body, address: body.address } satisfies AddressSpec;
        return { status: 201, json: await addresses.serve(spec) };
      },
    },
    {
      method: "DELETE",
      path: "/gantry/v1/addresses/:address",
      handle: async (call) => {
        await addresses.stop(call.params.address!);
        return { status: 204 };
      },
    },
  ];
}
