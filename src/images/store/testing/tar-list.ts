import { readFileSync } from "node:fs";
import { entriesOf } from "#formats/tar/streams.ts";

/** Names in an archive file, one character a byte, in its order. */
export async function list(path: string): Promise<string[]> {
  const names: string[] = [];
  const bytes = readFileSync(path);
  const chunks = (async function* () {
    yield bytes;
  })();
  for await (const { entry } of entriesOf(chunks)) names.push(Buffer.from(entry.name).toString("latin1"));
  return names;
}
