import type { Engine } from "#engine/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import type { Platform } from "#formats/oci/contract.ts";
import type { ImageRecord } from "#images/store/contract.ts";
import type { Output, Session } from "./contract.ts";
import { sendFolder } from "./send-folder.ts";
import { sendTar } from "./send-tar.ts";
import type { BuildSteps } from "./steps.ts";

export interface Exported {
  readonly engine: Engine;
  readonly session: Session;
  readonly steps: BuildSteps;
  readonly image: ImageRecord;
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal;
  credentials(domain: string): Promise<AuthConfig | undefined>;
}

/** Brings the image where it is wanted; it is in the store, under its names, already. */
export async function exportTo(outputs: readonly Output[], exported: Exported): Promise<void> {
  for (const output of outputs) {
    if (output.kind === "store") await nameAndPush(output, exported);
    else await send(output, exported);
  }
}

async function nameAndPush({ names, push }: Extract<Output, { kind: "store" }>, exported: Exported): Promise<void> {
  const { engine, image, signal, steps } = exported;
  await steps.inside("exporting to image", async (told) => {
    told(`writing image ${image.id}`, 0, 0, true);
    for (const name of names) told(`naming to ${name}`, 0, 0, true);
    if (!push) return;
    for (const name of names) {
      const auth = await exported.credentials(name.split("/")[0]!);
      await engine.images.push(name, { signal, ...(auth === undefined ? {} : { auth }), onProgress: () => undefined });
      told(`pushing ${name}`, 0, 0, true);
    }
  });
}

async function send({ kind, index }: Extract<Output, { kind: "tar" | "folder" }>, exported: Exported): Promise<void> {
  const { engine, image, platform, session, signal, steps } = exported;
  await steps.inside(kind === "tar" ? "exporting to client tarball" : "exporting to client directory", async (told) => {
    let bytes = 0;
    const onBytes = (more: number) => {
      bytes += more;
      told("copying files", bytes);
    };
    await using files = await engine.builder.openFiles(image, platform, signal);
    const target = { session, index, signal, onBytes };
    if (kind === "tar") await sendTar(engine, files.folder, target);
    else await sendFolder(files.folder, target);
  });
}
