import type { ContainerRecord } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import { storedRequest } from "../shape/container.ts";
import { refuseMount } from "./mount-place.ts";
import type { WantedMount } from "./mounts.ts";

/** The volumes and binds of other containers ("name", "name:ro"), the later one's where two have a place. */
export function volumesFrom(engine: Engine, names: readonly string[]): WantedMount[] {
  const byTarget = new Map<string, WantedMount>();
  for (const text of names) {
    const [name = "", mode = ""] = text.split(":");
    if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw refuseMount(text, `the mode ${mode} is neither ro nor rw`);
    for (const mount of mountsOf(engine.containers.get(name))) {
      if (mount.kind !== "bind" && mount.kind !== "volume") continue;
      byTarget.set(mount.target, { ...mount, readonly: mount.readonly || mode === "ro" });
    }
  }
  return [...byTarget.values()];
}

function mountsOf(record: ContainerRecord): WantedMount[] {
  return storedRequest(record).mounts.flatMap((shown): WantedMount[] => {
    const own = record.config.mounts?.find((mount) => mount.target === shown.Destination);
    const common = { target: shown.Destination, readonly: !shown.RW };
    if (own?.type !== "bind") return [];
    if (shown.Type === "bind") {
      const { propagation, shallow } = own;
      const how = { ...(propagation === undefined ? {} : { propagation }), ...(shallow === true ? { shallow } : {}) };
      return [{ kind: "bind", source: own.source, makeSource: false, ...common, ...how }];
    }
    const part = own.subpath === undefined ? {} : { subpath: own.subpath };
    return [{ kind: "volume", name: shown.Name ?? "", fill: false, labels: {}, options: {}, ...common, ...part }];
  });
}
