import type { Mount, Range } from "./contract.ts";
import { nearest } from "./nearest.ts";
import { placeError, type Source } from "./place.ts";

const aliases: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};
const keys = [
  "type",
  "from",
  "source",
  "target",
  "readonly",
  "readwrite",
  "rw",
  "id",
  "sharing",
  "required",
  "mode",
  "uid",
  "gid",
  "size",
  "env",
] as const;
const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;

/** `RUN --mount=type=cache,target=/x`: comma-separated as CSV, so that a value may be quoted. */
export function parseMount(value: string, range: Range, source: Source): Mount {
  const found = new Map<string, string>();
  for (const field of csvFields(value)) {
    const equals = field.indexOf("=");
    const written = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    const key = aliases[written] ?? written;
    if (!(keys as readonly string[]).includes(key)) {
      const near = nearest(key, keys);
      throw placeError(
        source,
        range,
        `--mount has no key ${JSON.stringify(written)}`,
        near === undefined ? {} : { nearest: near },
      );
    }
    const isSwitch = key === "readonly" || key === "readwrite" || key === "rw" || key === "required";
    if (equals < 0 && !isSwitch) throw placeError(source, range, `--mount key ${written} needs a value`);
    found.set(key, equals < 0 ? "true" : field.slice(equals + 1));
  }
  const type = oneOf(found.get("type") ?? "bind", types, "type", range, source);
  const sharing = oneOf(found.get("sharing") ?? "shared", sharings, "sharing", range, source);
  const writable = found.get("readwrite") ?? found.get("rw");
  const readonly = found.get("readonly") ?? (writable === undefined ? undefined : String(writable === "false"));
  const optional: Record<string, string> = {};
  for (const key of ["target", "source", "from", "id", "env", "mode", "uid", "gid", "size"] as const) {
    const text = found.get(key);
    if (text !== undefined) optional[key] = text;
  }
  const needsTarget = type === "bind" || type === "cache" || type === "tmpfs";
  if (needsTarget && optional.target === undefined) {
    throw placeError(source, range, `--mount of type ${type} needs a target`);
  }
  return {
    type,
    ...optional,
    ...(readonly === undefined ? {} : { readonly: readonly !== "false" }),
    required: (found.get("required") ?? "false") !== "false",
    sharing,
    range,
  };
}

function oneOf<T extends string>(value: string, known: readonly T[], what: string, range: Range, source: Source): T {
  const match = known.find((candidate) => candidate === value);
  if (match !== undefined) return match;
  const near = nearest(value, known);
  const because = `--mount ${what} is ${JSON.stringify(value)}, it can be ${known.join(", ")}`;
  throw placeError(source, range, because, near === undefined ? {} : { nearest: near });
}

/** One CSV record: a field that starts with a double quote runs to its closing one, two of them stand for one. */
function csvFields(text: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (quoted && char === '"' && text[index + 1] === '"') {
      field += '"';
      index += 1;
    } else if (quoted && char === '"') quoted = false;
    else if (!quoted && char === '"' && field === "") quoted = true;
    else if (!quoted && char === ",") {
      fields.push(field);
      field = "";
    } else field += char;
  }
  fields.push(field);
  return fields;
}
