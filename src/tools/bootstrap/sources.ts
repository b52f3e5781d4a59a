import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PackageSource } from "./contract.ts";

/** The machine's own package sources in the order apt reads them: sources.list, then sources.list.d by name. */
export function readSources(folder = "/etc/apt"): PackageSource[] {
  const single = join(folder, "sources.list");
  const parts = join(folder, "sources.list.d");
  const files = existsSync(parts)
    ? readdirSync(parts)
        .sort()
        .filter((name) => /^[\w.-]+\.(list|sources)$/.test(name))
        .map((name) => join(parts, name))
    : [];
  return [single, ...files].flatMap((file) => {
    if (!existsSync(file)) return [];
    const text = readFileSync(file, "utf8");
    return file.endsWith(".sources") ? parseDeb822(text) : parseOneLine(text);
  });
}

/** sources.list(5), "one-line-style format". Lines that name no binary packages are left out. */
export function parseOneLine(text: string): PackageSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^#\s]\S*)*)\s*(?:#.*)?$/.exec(line);
    if (match === null) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    return usable({
      uri: uri.replace(/\/+$/, ""),
      suite,
      components: words(components),
      options: Object.fromEntries(
        words(options).flatMap((word) => {
          const at = word.indexOf("=");
          return at < 1 ? [] : [[word.slice(0, at).toLowerCase().replace(/[+-]$/, ""), word.slice(at + 1)]];
        }),
      ),
    });
  });
}

/** deb822 fields and the names their one-line spelling has. */
const optionFields: Readonly<Record<string, string>> = {
  "signed-by": "signed-by",
  trusted: "trusted",
  "check-valid-until": "check-valid-until",
  "check-date": "check-date",
};

/** sources.list(5), "deb822-style format". */
export function parseDeb822(text: string): PackageSource[] {
  const bare = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n");
  return bare.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const enabled = !/^(no|false|without|off|disable)$/i.test(fields.get("enabled")?.trim() ?? "yes");
    if (!enabled || !words(fields.get("types") ?? "").includes("deb")) return [];
    const options = Object.fromEntries(
      Object.entries(optionFields).flatMap(([field, name]) => {
        const value = fields.get(field)?.trim();
        return value === undefined || value === "" || value.includes("\n") ? [] : [[name, words(value).join(",")]];
      }),
    );
    const key = inlineKey(fields.get("signed-by"));
    return words(fields.get("uris") ?? "").flatMap((uri) =>
      words(fields.get("suites") ?? "").flatMap((suite) =>
        usable({
          uri: uri.replace(/\/+$/, ""),
          suite,
          components: words(fields.get("components") ?? ""),
          options,
          ...(key === undefined ? {} : { key }),
        }),
      ),
    );
  });
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of stanza.split("\n")) {
    const start = /^([A-Za-z][\w-]*):(.*)$/.exec(line);
    if (start !== null) {
      last = start[1]!.toLowerCase();
      fields.set(last, start[2]!);
    } else if (last !== undefined && /^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last)}\n${line}`);
    }
  }
  return fields;
}

/** A key written into Signed-By: indented lines, an empty one as " .". */
function inlineKey(field: string | undefined): string | undefined {
  if (field === undefined || !field.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) return undefined;
  return `${field
    .split("\n")
    .map((line) => line.trim())
    .map((line) => (line === "." ? "" : line))
    .join("\n")
    .trim()}\n`;
}

/** A suite that is a path ("./") is a flat repository, from which no system can be made; cdroms are not there. */
function usable(source: PackageSource): PackageSource[] {
  return source.suite.endsWith("/") || source.uri.startsWith("cdrom:") ? [] : [source];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
