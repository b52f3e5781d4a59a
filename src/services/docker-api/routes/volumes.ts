import { GantryError } from "#base/core/errors.ts";
import type { VolumeRecord } from "#containers/volume/contract.ts";
import type { Engine } from "#engine/contract.ts";
import { filters, flag, onlyFilters } from "../call.ts";
import { usersOf } from "../containers-of-volume.ts";
import type { Route } from "../contract.ts";
import { hasLabel } from "../labels.ts";
import { volumeShape } from "../shape/volume.ts";

interface VolumeBody {
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

function hasLabels(volume: VolumeRecord, wanted: readonly string[]): boolean {
  return wanted.every((value) => hasLabel(volume.labels, value));
}

export function volumeRoutes(engine: Engine): Route[] {
  const tell = (action: string, name: string) =>
    engine.events.publish({ type: "volume", action, id: name, attributes: { driver: "local" } });
  return [
    {
      method: "GET",
      path: "/volumes",
      handle: (call) => {
        const wanted = filters(call.query);
        onlyFilters("volumes", wanted, ["name", "dangling", "driver", "label"]);
        const volumes = engine.volumes.list().filter((volume) =>
          [...wanted].every(([key, values]) => {
            if (key === "name") return values.some((value) => volume.name.includes(value));
            if (key === "dangling") return values.includes("true") === (usersOf(engine, volume.name).length === 0);
            if (key === "driver") return values.includes("local");
            return hasLabels(volume, values);
          }),
        );
        return { status: 200, json: { Volumes: volumes.map(volumeShape), Warnings: [] } };
      },
    },
    {
      method: "POST",
      path: "/volumes/create",
      handle: async (call) => {
        const body = await call.json<VolumeBody>();
        if (body.Driver !== undefined && body.Driver !== "" && body.Driver !== "local") {
          throw new GantryError("not-found", {
            doing: "make the volume",
            ...(body.Name === undefined ? {} : { on: body.Name }),
            because: `plugin "${body.Driver}" not found`,
            next: "Use the driver local.",
          });
        }
        const { record, fresh } = engine.volumes.create({
          ...(body.Name ? { name: body.Name } : {}),
          labels: body.Labels ?? {},
          options: body.DriverOpts ?? {},
          anonymous: !body.Name,
        });
        if (fresh) tell("create", record.name);
        return { status: 201, json: volumeShape(record) };
      },
    },
    {
      method: "POST",
      path: "/volumes/prune",
      handle: async (call) => {
        const wanted = filters(call.query);
        // An unknown one taken in silence would remove what it was meant to keep.
        onlyFilters("volumes to prune", wanted, ["all", "label", "label!"]);
        const all = wanted.get("all")?.includes("true") === true;
        const deleted: string[] = [];
        let bytes = 0;
        for (const volume of engine.volumes.list()) {
          if (!hasLabels(volume, wanted.get("label") ?? [])) continue;
          if ((wanted.get("label!") ?? []).some((value) => hasLabel(volume.labels, value))) continue;
          if ((!all && !volume.anonymous) || usersOf(engine, volume.name).length > 0) continue;
          bytes += await engine.volumes.usage(volume.name);
          await engine.volumes.remove(volume.name, []);
          tell("destroy", volume.name);
          deleted.push(volume.name);
        }
        return { status: 200, json: { VolumesDeleted: deleted, SpaceReclaimed: bytes } };
      },
    },
    {
      method: "GET",
      path: "/volumes/:name",
      handle: (call) => ({ status: 200, json: volumeShape(engine.volumes.require(call.params.name!)) }),
    },
    {
      method: "DELETE",
      path: "/volumes/:name",
      handle: async (call) => {
        if (flag(call.query, "force") && engine.volumes.get(call.params.name!) === undefined) return { status: 204 };
        const volume = engine.volumes.require(call.params.name!);
        await engine.volumes.remove(volume.name, usersOf(engine, volume.name));
        tell("destroy", volume.name);
        return { status: 204 };
      },
    },
  ];
}
