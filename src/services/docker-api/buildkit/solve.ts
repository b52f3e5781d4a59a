import type { Engine } from "#engine/contract.ts";
import { parseDockerfile } from "#formats/dockerfile/parse.ts";
import type { ImageRecord } from "#images/store/contract.ts";
import { receive } from "./context.ts";
import type { Sessions, SolveResult, Wanted } from "./contract.ts";
import { exportTo } from "./export.ts";
import { requireSyntax } from "./frontend.ts";
import type { Job } from "./jobs.ts";
import { outputsOf } from "./outputs.ts";
import { credentialsOf, secretOf } from "./session-values.ts";

/** Builds what is wanted and puts it where it is wanted. */
export async function solve(
  engine: Engine,
  sessions: Sessions,
  job: Job,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<SolveResult> {
  const outputs = outputsOf(job.request);
  engine.requireSpace("build");
  const session = await sessions.find(job.request.session, signal);
  // A client that loses its session has left, even when its other connection still hangs.
  const both = AbortSignal.any([signal, session.gone]);
  const of = (folder: string) => {
    const shared = wanted.sharedSessions[folder];
    return shared === undefined ? Promise.resolve(session) : sessions.find(shared, both);
  };
  await using context = await receive(engine, { of }, wanted, job.steps, both);
  job.dockerfile = context.dockerfile;
  const parsed = parseDockerfile(context.dockerfile.bytes, context.dockerfile.name);
  if (parsed.directives.syntax !== undefined) requireSyntax(parsed.directives.syntax);
  job.steps.begin(parsed, [...wanted.warnings, ...cacheWarnings(job)]);
  const { ignore, folder, dockerfile } = context;
  const request = { ...wanted.request, context: folder, dockerfile, ...(ignore === undefined ? {} : { ignore }) };
  const credentials = (domain: string) => credentialsOf(session, domain, both);
  const secrets = (id: string) => secretOf(session, id, both);
  const names = outputs.flatMap((output) => (output.kind === "store" ? output.names : []));
  const before = new Set(engine.store.images.list().map(({ id }) => id));
  const image = await engine.images
    .build({ ...request, credentials, secrets }, names, both, (event) => job.steps.event(event))
    .catch((error: unknown) => {
      job.steps.fail(error);
      throw error;
    });
  const { platform } = wanted.request;
  const authOf = async (domain: string) => {
    const found = await credentials(domain);
    return found === undefined ? undefined : { ...found, identitytoken: found.identityToken ?? "" };
  };
  try {
    await exportTo(outputs, { engine, session, steps: job.steps, image, platform, signal: both, credentials: authOf });
  } finally {
    // Nobody asked to have it here.
    const isWanted = outputs.some(({ kind }) => kind === "store") || before.has(image.id);
    if (!isWanted && engine.store.images.get(image.id)?.names.length === 0) engine.store.images.remove(image.id);
  }
  return resultOf(image, names);
}

function cacheWarnings({ request }: Job): string[] {
  const types = (request.cache?.exports ?? []).map(({ type }) => type);
  return types.length === 0 ? [] : [`the build cache is not written elsewhere (${types.join(", ")})`];
}

/**
 * No "containerimage.config.digest": clients take it for the image's ID where it stands, and this engine's IDs are the
 * manifests'.
 */
function resultOf({ id, target }: ImageRecord, names: readonly string[]): SolveResult {
  const { mediaType, digest, size } = target;
  return {
    "containerimage.digest": id,
    "containerimage.descriptor": Buffer.from(JSON.stringify({ mediaType, digest, size })).toString("base64"),
    ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
  };
}
