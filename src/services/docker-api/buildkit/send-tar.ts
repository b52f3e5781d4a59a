import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { systemRandom } from "#base/core/random.ts";
import type { Engine } from "#engine/contract.ts";
import { packTar } from "#engine/copy/tasks.ts";
import type { Session } from "./contract.ts";
import { type BytesMessage, FileSend } from "./protos/session.gen.ts";

/** An output the client waits for on its session. */
export interface SendTarget {
  readonly session: Session;
  readonly index: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** The header that says which of the client's outputs is sent. */
export const outputHeader = "buildkit-attachable-exporter-id";

/** Packed beside, for packing blocks and the client may be slow. */
export async function sendTar(engine: Engine, root: string, target: SendTarget): Promise<void> {
  const file = join(engine.scratch, `output-${systemRandom.hex(8)}.tar`);
  const { signal, session, index, onBytes } = target;
  try {
    await engine.bulk.run(packTar, { root, path: "/", file, name: "" }, { signal });
    const messages = (async function* () {
      for await (const data of createReadStream(file, { highWaterMark: 256 * 1024 })) {
        onBytes((data as Buffer).length);
        yield { data } as BytesMessage;
      }
    })();
    const headers = { [outputHeader]: String(index) };
    // The answer is empty; it ends when the client has written everything.
    for await (const _ of createClient(FileSend, session.transport).diffCopy(messages, { headers, signal }));
  } finally {
    rmSync(file, { force: true });
  }
}
