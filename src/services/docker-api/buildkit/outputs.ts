import { GantryError } from "#base/core/errors.ts";
import { canonicalReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Output } from "./contract.ts";
import type { SolveRequest } from "./protos/control.gen.ts";

/** Exporters that put the image into this engine's store. */
const stores = ["moby", "image", "docker"];

/** Where the results go. Errors: "unsupported" by the exporter's or the attribute's name. */
export function outputsOf({ exporters, exporterDeprecated, exporterAttrsDeprecated }: SolveRequest): Output[] {
  const old = exporterDeprecated === "" ? [] : [{ type: exporterDeprecated, attrs: exporterAttrsDeprecated }];
  return (exporters.length > 0 ? exporters : old).map(({ type, attrs }, index) => {
    if (type === "tar") return { kind: "tar", index };
    if (type === "local" && (attrs.mode ?? "copy") === "copy") return { kind: "folder", index };
    if (!stores.includes(type))
      throw refused(`an output of type ${type}`, "Build into the store, then use: docker save");
    const annotation = Object.keys(attrs).find((name) => name.startsWith("annotation"));
    if (annotation !== undefined) throw refused(annotation, "Use labels.");
    const names = (attrs.name ?? "").split(",").filter((name) => name !== "");
    return {
      kind: "store",
      names: names.map((name) => canonicalReference(withDefaultTag(parseReference(name)))),
      // The program that asks for "moby" pushes by itself afterwards.
      push: type === "image" && attrs.push === "true",
    };
  });
}

function refused(what: string, next: string): GantryError {
  return new GantryError("unsupported", {
    doing: "build into",
    on: what,
    because: "this engine does not make it",
    next,
  });
}
