import { resolve } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { MountPoint } from "#formats/docker/container.ts";
import { pairs } from "./pairs-flag.ts";
import { parseSize } from "./size-flag.ts";

type Kind = MountPoint["Type"];
const kinds: readonly string[] = ["bind", "volume", "tmpfs", "image"] satisfies Kind[];

type Writable<T> = { -readonly [K in keyof NonNullable<T>]: NonNullable<T>[K] };

function volumeMore(driver: { Name?: string; Options?: object }, labels: Readonly<Record<string, string>>): object {
  return {
    ...(Object.keys(driver).length === 0 ? {} : { DriverConfig: driver }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
  };
}

/** Docker's words for what is mounted below the source. */
function readRecursion(
  value: string,
  bind: Writable<MountPoint["BindOptions"]>,
  fail: (because: string) => GantryError,
): void {
  if (value === "disabled") bind.NonRecursive = true;
  else if (value === "writable") bind.ReadOnlyNonRecursive = true;
  else if (value === "readonly") bind.ReadOnlyForceRecursive = true;
  else if (value !== "enabled") throw fail(`bind-recursive=${value} is not enabled, disabled, writable or readonly`);
}

/** `--mount type=bind,source=/a,target=/b,readonly`. Error "invalid", naming the field. */
export function parseMountFlag(text: string): MountPoint {
  const fail = (because: string) => new GantryError("invalid", { doing: "read --mount", on: text, because });
  let type = "volume";
  let source: string | undefined;
  let target: string | undefined;
  let readonly = false;
  const bind: Writable<MountPoint["BindOptions"]> = {};
  const volume: Writable<MountPoint["VolumeOptions"]> = {};
  const driver: { Name?: string; Options?: Record<string, string> } = {};
  const labels: Record<string, string> = {};
  const tmpfs: { SizeBytes?: number; Mode?: number; Options?: string[][] } = {};
  const image: { Subpath?: string } = {};
  for (const quoted of text.match(/(?:"[^"]*"|[^,"])+/g) ?? [""]) {
    const field = quoted.replaceAll('"', "");
    const at = field.indexOf("=");
    const name = (at === -1 ? field : field.slice(0, at)).toLowerCase();
    const value = at === -1 ? "true" : field.slice(at + 1);
    if (name === "type") type = value;
    else if (name === "source" || name === "src") source = value;
    else if (name === "target" || name === "dst" || name === "destination") target = value;
    else if (name === "readonly" || name === "ro") readonly = value !== "false" && value !== "0";
    else if (name === "bind-propagation") bind.Propagation = value;
    else if (name === "bind-create-src") bind.CreateMountpoint = true;
    else if (name === "bind-recursive") readRecursion(value, bind, fail);
    else if (name === "volume-subpath") volume.Subpath = value;
    else if (name === "volume-driver") driver.Name = value;
    else if (name === "volume-opt") driver.Options = { ...driver.Options, ...pairs([value], "mount") };
    else if (name === "volume-label") Object.assign(labels, pairs([value], "mount"));
    else if (name === "image-subpath") image.Subpath = value;
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
    ...(type === "volume" ? { VolumeOptions: { ...volume, ...volumeMore(driver, labels) } } : {}),
    ...(type === "image" && image.Subpath !== undefined ? { ImageOptions: image } : {}),
    ...(type === "tmpfs" ? { TmpfsOptions: tmpfs } : {}),
  };
}
