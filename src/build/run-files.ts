import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readInRoot } from "#base/system/process/rooted-read.ts";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { BuildRequest } from "./contract.ts";
import { placeOf } from "./held-mounts.ts";
import type { BuildScope } from "./layer-step.ts";
import { aptSourcesFor, hostsFor, type MachineFile, resolvConfFor } from "./machine.ts";
import { type MountPlace, makeMountPoints } from "./mount-points.ts";
import type { PlannedMount } from "./plan-mounts.ts";
import type { RunPlan } from "./run-step.ts";

/** The host name of every RUN: what a build writes down must not name the machine. */
export const hostname = "gantry-build";

/** Where a heredoc's script is while it runs. */
export const scriptFolder = "/run/gantry-heredoc";

/** What the machine shows inside a RUN; known once the image's own files were looked at. */
export class RunFiles {
  #apt: readonly MachineFile[] = [];
  readonly #scope: BuildScope;
  readonly #plan: RunPlan;
  readonly #layerTime: number;

  constructor(scope: BuildScope, plan: RunPlan, layerTime: number) {
    this.#scope = scope;
    this.#plan = plan;
    this.#layerTime = layerTime;
  }

  survey(root: string, bottom: string, mounts: readonly PlannedMount[]): void {
    if (this.#plan.network !== "none") this.#apt = aptSources(this.#scope.ports.machineRoot, root);
    const asked = mounts.flatMap((mount) => placeOf(mount) ?? []);
    makeMountPoints(root, bottom, [...this.#own(), ...asked], this.#layerTime);
  }

  #own(): MountPlace[] {
    const { script } = this.#plan;
    const own = script === undefined ? [] : [`${scriptFolder}/${script.name}`];
    const targets = ["/etc/resolv.conf", "/etc/hosts", ...own, ...this.#apt.map(({ target }) => target)];
    return targets.map((target) => ({ target, isFile: true }));
  }

  mounts(folder: string, request: BuildRequest): MountSpec[] {
    const { network, script } = this.#plan;
    const write = (name: string, text: string, target: string, mode = 0o644): MachineFile => {
      const source = join(folder, name);
      writeFileSync(source, text);
      chmodSync(source, mode);
      return { source, target };
    };
    const files = [
      write("resolv.conf", resolvConfFor(this.#scope.ports.machineRoot, network === "host"), "/etc/resolv.conf"),
      write("hosts", hostsFor(request.addHosts, hostname), "/etc/hosts"),
      ...(script === undefined ? [] : [write("script", script.text, `${scriptFolder}/${script.name}`, 0o755)]),
      ...this.#apt,
    ];
    return files.map(({ source, target }) => ({ type: "bind", source, target, readonly: true }));
  }
}

const sourcesLimit = 1024 * 1024;

function aptSources(machineRoot: string, root: string): MachineFile[] {
  const read = (path: string) => readInRoot(root, path, sourcesLimit)?.toString("utf8");
  if (read("/var/lib/dpkg/status") === undefined) return [];
  return aptSourcesFor(machineRoot, read, ["/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"]);
}
