import { GantryError } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { HostConfig } from "#formats/docker/container.ts";
import type { Call, Route } from "../contract.ts";
import { wantedMounts } from "../create/mounts.ts";
import { placeMounts } from "../create/place-mounts.ts";
import { storedRequest } from "../shape/container.ts";

/** Mounts of a container that exists already, running or not. */
export function liveMountRoutes(engine: Engine): Route[] {
  const path = "/gantry/v1/containers/:id/mounts";
  return [
    {
      method: "POST",
      path,
      handle: async (call) => {
        await add(engine, call);
        return { status: 204 };
      },
    },
    {
      method: "DELETE",
      path,
      handle: async (call) => {
        const target = call.query.get("target") ?? "";
        const record = engine.containers.get(call.params.id!);
        const stored = storedRequest(record);
        const request = { ...stored, mounts: stored.mounts.filter(({ Destination }) => Destination !== target) };
        await engine.containers.unmount(record.id, target, request);
        return { status: 204 };
      },
    },
  ];
}

/** By the same normaliser and check as a create's, so that this way in is no weaker. */
async function add(engine: Engine, call: Call): Promise<void> {
  const body = await call.json<Pick<HostConfig, "Binds" | "Mounts">>();
  const record = engine.containers.get(call.params.id!);
  const wanted = wantedMounts({ Binds: body.Binds ?? [], Mounts: body.Mounts ?? [] }, []);
  if (wanted.length === 0) {
    throw new GantryError("invalid", {
      doing: "mount into the container",
      on: record.name,
      because: "no mount is named",
    });
  }
  for (const one of wanted) {
    const { specs, volumes, shown } = placeMounts(engine, [one]);
    const stored = storedRequest(engine.containers.get(record.id));
    await engine.containers.mount(record.id, {
      mount: specs[0]!,
      volumes,
      request: { ...stored, mounts: [...stored.mounts, ...shown] },
    });
  }
}
