import type { MountPoint } from "#formats/docker/container.ts";
import { checkTarget, refuseMount } from "./mount-place.ts";
import type { WantedMount } from "./mounts.ts";

/** tmpfs options as in `--tmpfs /run:rw,size=64m,mode=1777`. */
export function parseTmpfs(target: string, options: string): WantedMount {
  let size: number | undefined;
  let mode: number | undefined;
  const rest: string[] = [];
  for (const word of options.split(",").filter((option) => option !== "")) {
    const [name, value] = word.split("=", 2) as [string, string | undefined];
    if (name === "size" && value !== undefined) size = parseSize(value, word);
    else if (name === "mode" && value !== undefined) mode = Number.parseInt(value, 8);
    else if (name !== "rw") rest.push(word);
  }
  return {
    kind: "tmpfs",
    target: checkTarget(target, target),
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode }),
    options: rest,
  };
}

/** `TmpfsOptions` of a mount: its options are pairs or single words. */
export function tmpfsOf({ TmpfsOptions: asked, ReadOnly }: MountPoint, target: string): WantedMount {
  const words = (asked?.Options ?? []).map((option) => option.filter((part) => part !== "").join("="));
  return {
    kind: "tmpfs",
    target,
    ...(asked?.SizeBytes === undefined ? {} : { size: asked.SizeBytes }),
    ...(asked?.Mode === undefined ? {} : { mode: asked.Mode }),
    options: ReadOnly === true ? [...words, "ro"] : words,
  };
}

function parseSize(value: string, on: string): number {
  const match = /^(\d+)([kmgt]?)b?$/i.exec(value);
  if (match === null) throw refuseMount(on, "the size is no number of bytes, nor one with k, m or g behind it");
  const power = { "": 0, k: 1, m: 2, g: 3, t: 4 }[match[2]!.toLowerCase()] ?? 0;
  return Number(match[1]) * 1024 ** power;
}
