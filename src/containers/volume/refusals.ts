import { GantryError } from "#base/core/errors.ts";
import type { VolumeRecord } from "./contract.ts";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

export function checkName(name: string): void {
  if (namePattern.test(name)) return;
  throw new GantryError("invalid", {
    doing: "make the volume",
    on: name,
    because: "a name is letters, digits, _ . and -, and begins with a letter or digit",
    next: "For a folder of the host, name its absolute path.",
  });
}

export function taken(name: string, doing: string): GantryError {
  return new GantryError("conflict", {
    doing,
    on: name,
    because: "there is a volume of that name",
    next: "Choose another name.",
  });
}

/** Who names none takes the volume as it is. */
export function sameOptions(known: VolumeRecord, options: Readonly<Record<string, string>>): void {
  const names = Object.keys(options);
  if (names.length === 0) return;
  const all = new Set([...names, ...Object.keys(known.options)]);
  if ([...all].every((option) => known.options[option] === options[option])) return;
  throw new GantryError("conflict", {
    doing: "make the volume",
    on: known.name,
    because: "a volume of that name exists with other options",
    next: "Remove that one first, or choose another name.",
  });
}
