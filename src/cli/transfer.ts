import { GantryError } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import { jsonLines } from "#client/demultiplex.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import type { Context, Terminal } from "./contract.ts";
import { authHeader } from "./credentials.ts";
import { ProgressView } from "./output/progress.ts";

interface PullOptions {
  readonly platform?: string | undefined;
  readonly quiet: boolean;
  readonly to: Terminal;
}

export async function pullImage(context: Context, client: Client, image: string, options: PullOptions): Promise<void> {
  const lines = await client.stream("POST", "/images/create", {
    query: { fromImage: image, platform: options.platform },
    headers: authHeader(context, image),
  });
  await showProgress(lines, options.quiet ? undefined : options.to, "pull the image", image);
}

/** Shows a progress stream to its end. Errors: the stream's own error line. */
export async function showProgress(
  lines: ReadableStream<Uint8Array>,
  terminal: Terminal | undefined,
  doing: string,
  on: string,
  onAux: (aux: Readonly<Record<string, unknown>>) => void = () => undefined,
): Promise<void> {
  const view = terminal === undefined ? undefined : new ProgressView(terminal);
  let failure: string | undefined;
  for await (const line of jsonLines<ProgressLine>(lines)) {
    if (line.error !== undefined) failure = line.error;
    else if (line.aux !== undefined) onAux(line.aux);
    else if (line.stream !== undefined) {
      // Text goes below bars that stand: redrawn later, they would cover it.
      view?.finish();
      terminal?.write(line.stream);
    } else view?.show(line);
  }
  view?.finish();
  if (failure !== undefined) {
    throw failure.startsWith("Cannot ")
      ? new Refused(failure)
      : new GantryError("unavailable", { doing, on, because: failure });
  }
}

/** The engine's sentence is the whole message. */
class Refused extends GantryError {
  constructor(message: string) {
    super("unavailable", { doing: "finish", because: message });
    this.message = message;
  }
}
