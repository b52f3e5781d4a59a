import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { SecretBody } from "#formats/docker/gantry.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `--secret id=x,src=file[,target=/path][,mode=0400][,uid=0][,gid=0]`, or env=NAME for a variable. Error "invalid". */
export function parseSecretFlag(text: string, env: Environment): SecretBody {
  const fail = (because: string, cause?: unknown) =>
    new GantryError("invalid", { doing: "read --secret", on: text, because, cause });
  const fields = new Map<string, string>();
  for (const field of text.split(",")) {
    const at = field.indexOf("=");
    const name = { source: "src", dst: "target" }[field.slice(0, at)] ?? field.slice(0, at);
    if (at < 1 || !["id", "src", "env", "target", "mode", "uid", "gid"].includes(name))
      throw fail(`the field ${field} is not known`);
    fields.set(name, field.slice(at + 1));
  }
  const number = (name: string, base: number) => {
    const value = fields.get(name);
    if (value === undefined) return undefined;
    const parsed = Number.parseInt(value, base);
    if (Number.isNaN(parsed)) throw fail(`${name} is no number`);
    return parsed;
  };
  const file = fields.get("src");
  const variable = fields.get("env");
  const ID = fields.get("id") ?? variable ?? (file === undefined ? undefined : basename(file));
  if (ID === undefined) throw fail("it has neither id, src nor env");
  let bytes: Uint8Array;
  if (file !== undefined) {
    try {
      bytes = readFileSync(file);
    } catch (cause) {
      throw fail(`the file ${file} cannot be read`, cause);
    }
  } else {
    const value = env[variable ?? ID];
    if (value === undefined) throw fail(`there is no variable ${variable ?? ID}`);
    bytes = Buffer.from(value);
  }
  const more = {
    Target: fields.get("target"),
    Mode: number("mode", 8),
    UID: number("uid", 10),
    GID: number("gid", 10),
  };
  const given = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  return { ID, Data: Buffer.from(bytes).toString("base64"), ...given };
}
