import { isIP } from "node:net";
import { GantryError } from "#base/core/errors.ts";

/** What Docker's local driver knows, and what each needs beside it. */
const needs: Readonly<Record<string, readonly string[]>> = {
  device: ["type"],
  type: ["device"],
  o: ["device", "type"],
};

/** Errors: "invalid" naming the option; "unsupported" for a size, which needs a quota. */
export function checkOptions(name: string, options: Readonly<Record<string, string>>): void {
  for (const [option, value] of Object.entries(options)) {
    if (option === "size") {
      throw new GantryError("unsupported", {
        doing: "make the volume",
        on: name,
        because: "quota size requested but no quota support: this engine sets no project quotas",
        next: "Leave size out, or use type=tmpfs with o=size=…",
      });
    }
    if (needs[option] === undefined)
      throw invalid(name, `invalid option: "${option}"`, "Known are type, device and o.");
    if (/[\0\n]/.test(value)) throw invalid(name, `the option ${option} holds a line end or a NUL`);
    // An empty one asks for nothing.
    const missing = needs[option].find((other) => value !== "" && !options[other]);
    if (missing !== undefined) throw invalid(name, `missing required option: "${missing}"`);
  }
}

export interface Wanted {
  readonly type: string;
  readonly source: string;
  readonly options: string;
}

/** What is to be mounted; undefined for a plain folder. */
export function wantedMount(options: Readonly<Record<string, string>>): Wanted | undefined {
  const { type, device, o = "" } = options;
  return type && device ? { type, source: device, options: o } : undefined;
}

/** The host name in `addr=`, which the kernel's own NFS and CIFS do not look up. */
export function hostNameIn({ type, options }: Wanted): string | undefined {
  if (!/^(nfs4?|cifs)$/.test(type)) return undefined;
  const name = options
    .split(",")
    .find((word) => word.startsWith("addr="))
    ?.slice(5);
  return name === undefined || isIP(name) !== 0 ? undefined : name;
}

export function withAddress(wanted: Wanted, name: string, address: string): Wanted {
  const words = wanted.options.split(",").map((word) => (word === `addr=${name}` ? `addr=${address}` : word));
  return { ...wanted, options: words.join(",") };
}

function invalid(on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", { doing: "make the volume", on, because, ...(next === undefined ? {} : { next }) });
}
