import { readInRoot } from "#base/system/process/rooted-read.ts";
import { ignoreFileNames } from "#formats/dockerfile/ignore.ts";
import type { BuildRequest } from "./contract.ts";
import type { SourceRoot } from "./tasks.ts";

const ignoreLimit = 4 * 1024 * 1024;

/** The build context as a place to take files from, with its ignore file's rules. */
export function contextRoot(request: BuildRequest): SourceRoot {
  const given = request.ignore === undefined ? undefined : Buffer.from(request.ignore);
  const ignore = given ?? readIgnoreFile(request.context, request.dockerfile.name);
  return {
    folder: request.context,
    keepMode: request.keepMode,
    ...(ignore === undefined ? {} : { ignore: ignore.toString("utf8") }),
  };
}

function readIgnoreFile(context: string, dockerfile: string): Buffer | undefined {
  for (const name of ignoreFileNames(dockerfile)) {
    const text = readInRoot(context, name, ignoreLimit);
    if (text !== undefined) return text;
  }
  return undefined;
}
