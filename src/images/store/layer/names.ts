import { GantryError } from "#base/core/errors.ts";

/** A name from a tar, taken apart. Text is Latin-1: one character a byte, nothing lost. */
export interface LayerName {
  /** Folder, "" for the root: "usr/lib". */
  readonly folder: string;
  /** Last part; "" when the name is the root itself. */
  readonly base: string;
}

/** image-spec, layer.md, "Whiteouts". */
export const whiteoutPrefix = ".wh.";
export const opaqueName = ".wh..wh..opq";
/** AUFS's own records; every engine passes over them. */
const aufsPrefix = ".wh..wh.";

export type Meaning =
  | { readonly kind: "entry" }
  | { readonly kind: "whiteout"; readonly hides: string }
  | { readonly kind: "opaque" }
  | { readonly kind: "ignored" };

export function refuseLayer(name: string, because: string): never {
  throw new GantryError("invalid", {
    doing: "unpack the layer's entry",
    on: Buffer.from(name.slice(0, 200), "latin1").toString(),
    because,
    next: "The layer is unsafe or broken; ask who made the image to build it again.",
  });
}

/**
 * Takes a name apart; "a//b" and "a/./b" are "a/b", a leading "/" is dropped, as tar does. Symlinks on the way are the
 * kernel's business. Errors "invalid": "..", longer than the kernel takes.
 */
export function splitLayerName(bytes: Uint8Array): LayerName {
  const text = latin1(bytes);
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) refuseLayer(text, "it leads upwards");
  if (text.length > 4000) refuseLayer(text, `its name has ${text.length} bytes, more than 4000`);
  if (parts.some((part) => part.length > 255)) refuseLayer(text, "a part of its name is longer than 255 bytes");
  const base = parts.pop() ?? "";
  return { folder: parts.join("/"), base };
}

export function meaningOf(name: LayerName): Meaning {
  const { base, folder } = name;
  if (folder.includes(whiteoutPrefix)) {
    const parts = folder.split("/");
    if (parts.some((part) => part.startsWith(aufsPrefix))) return { kind: "ignored" };
    if (parts.some((part) => part.startsWith(whiteoutPrefix))) refuseLayer(pathOf(name), "it lies below a whiteout");
  }
  if (!base.startsWith(whiteoutPrefix)) return { kind: "entry" };
  if (base === opaqueName) return { kind: "opaque" };
  if (base.startsWith(aufsPrefix)) return { kind: "ignored" };
  const hides = base.slice(whiteoutPrefix.length);
  if (hides === "" || hides === "." || hides === "..") refuseLayer(pathOf(name), "a whiteout hides no name");
  return { kind: "whiteout", hides };
}

export function pathOf(name: LayerName): string {
  return name.folder === "" ? name.base : `${name.folder}/${name.base}`;
}

export function latin1(bytes: Uint8Array): string {
  // A copy into Buffer's pool costs less than asking a small array for its ArrayBuffer.
  return Buffer.from(bytes).toString("latin1");
}

export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
