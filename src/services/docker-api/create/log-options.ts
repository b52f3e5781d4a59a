import { GantryError } from "#base/core/errors.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/** "compress" is taken and does nothing: files are kept as they were written, so that reading can begin anywhere. */
const known = ["max-size", "max-file", "compress", "mode", "tag", "labels", "labels-regex", "env", "env-regex"];

interface LogOptions {
  readonly logSizeMax?: number;
  readonly logFiles?: number;
  readonly withoutLog?: boolean;
}

/** Options of json-file and local. Errors: "invalid", naming the option. */
export function logOptionsOf(host: HostConfig): LogOptions {
  const options = host.LogConfig?.Config ?? {};
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new GantryError("invalid", {
      doing: "read the log option",
      on: unknown,
      because: "there is none of that name",
      next: `Known are ${known.join(", ")}.`,
    });
  }
  const size = options["max-size"];
  const files = options["max-file"];
  const { compress } = options;
  if (compress !== undefined && !/^(1|0|t|f|true|false)$/i.test(compress)) {
    throw refused("compress", compress, "it is neither true nor false");
  }
  if (host.LogConfig?.Type === "none") return { withoutLog: true };
  return {
    ...(size === undefined ? {} : { logSizeMax: bytesOf(size) }),
    ...(files === undefined ? {} : { logFiles: countOf(files) }),
  };
}

function bytesOf(text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text);
  const bytes = match === null ? 0 : Number(match[1]) * 1024 ** ["", "k", "m", "g"].indexOf(match[2]!.toLowerCase());
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw refused("max-size", text, "it is no size like 10m");
}

function countOf(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  // Every file has an open descriptor while the log is read.
  if (count >= 1 && count <= 1000) return count;
  throw refused("max-file", text, "it is no number from 1 to 1000");
}

function refused(option: string, on: string, because: string): GantryError {
  return new GantryError("invalid", { doing: `read the log option ${option}`, on, because });
}
