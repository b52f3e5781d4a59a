import { resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { MountPoint } from "#formats/docker/container.ts";
import { parseSize } from "./size-flag.ts";

type Kind = MountPoint["Type"];
const kinds: readonly string[] = ["bind", "volume", "tmpfs"] satisfies Kind[];

/** `--mount type=bind,source=/a,target=/b,readonly`. Error "invalid", naming the field. */
export function parseMountFlag(text: string): MountPoint {
  const fail = (because: string) => new GantryError("invalid", { doing: "read --mount", on: text, because });
  let type = "volume";
  let source: string | undefined;
  let target: string | undefined;
  let readonly = false;
  const bind: { Propagation?: string; CreateMountpoint?: boolean } = {};
  const volume: { NoCopy?: boolean } = {};
  const tmpfs: { SizeBytes?: number; Mode?: number } = {};
  for (const field of text.split(",")) {
    const at = field.indexOf("=");
    const name = (at === -1 ? field : field.slice(0, at)).toLowerCase();
    const value = at === -1 ? "true" : field.slice(at + 1);
    if (name === "type") type = value;
    else if (name === "source" || name === "src") source = value;
    else if (name === "target" || name === "dst" || name === "destination") target = value;
    else if (name === "readonly" || name === "ro") readonly = value !== "false" && value !== "0";
    else if (name === "bind-propagation") bind.Propagation = value;
    else if (name === "bind-create-src") bind.CreateMountpoint = true;
    else if (name === "volume-nocopy") volume.NoCopy = value !== "false";
    else if (name === "tmpfs-size") tmpfs.SizeBytes = parseSize(value, "mount")!;
    else if (name === "tmpfs-mode") tmpfs.Mode = Number.parseInt(value, 8);
    else throw fail(`the field ${name} is not known`);
  }
  if (!kinds.includes(type)) throw fail(`the type ${type} is not one of ${kinds.join(", ")}`);
  if (target === undefined) throw fail("it has no target");
  const relative = type === "bind" && source !== undefined && /^\.\.?(\/|$)/.test(source);
  return {
    Type: type as Kind,
    ...(source === undefined ? {} : { Source: relative ? resolve(source) : source }),
    Target: target,
    ReadOnly: readonly,
    ...(type === "bind" ? { BindOptions: bind } : {}),
    ...(type === "volume" ? { VolumeOptions: volume } : {}),
    ...(type === "tmpfs" ? { TmpfsOptions: tmpfs } : {}),
  };
}
