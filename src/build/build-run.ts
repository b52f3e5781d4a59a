import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Dockerfile, Instruction, Range, Stage } from "#formats/dockerfile/contract.ts";
import { parseDockerfile, parseTrigger } from "#formats/dockerfile/parse.ts";
import { mediaTypes, type Platform } from "#formats/oci/contract.ts";
import { formatPlatform, hostPlatform } from "#formats/oci/platform.ts";
import type { Lease } from "#images/store/contract.ts";
import { BaseImages } from "./base-images.ts";
import type { StepCache } from "./cache.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import type { BuildEvent, BuilderPorts, BuildRequest, BuildResult } from "./contract.ts";
import { type Graph, type Origin, type PlannedStage, planGraph } from "./graph.ts";
import { emptyDraft, encodeConfig, encodeManifest, type ImageDraft, withConfig } from "./image-draft.ts";
import type { BuildScope } from "./layer-step.ts";
import { layerTimeOf, parseEpoch } from "./layer-time.ts";
import { Places } from "./places.ts";
import { StageExecution } from "./stage.ts";
import { GlobalArgs, platformArgs, StageVariables } from "./variables.ts";

/** A stage that is done. */
interface BuiltStage {
  readonly draft: ImageDraft;
  readonly platform: Platform;
  readonly layerTime: number;
}

/** One build from request to result. Disposing it takes back everything it held. */
export class BuildRun implements AsyncDisposable {
  readonly #ports: BuilderPorts;
  readonly #request: BuildRequest;
  readonly #dockerfile: Dockerfile;
  readonly #places: Places;
  readonly #globals: GlobalArgs;
  readonly #graph: Graph;
  readonly #epoch: number | undefined;
  readonly #lease: Lease;
  readonly #scope: BuildScope;
  readonly #bases: BaseImages;
  readonly #stages = new Map<number, BuiltStage>();
  readonly #total: number;
  readonly #warnings: string[] = [];
  #step = 0;
  #cached = 0;

  constructor(
    ports: BuilderPorts,
    cache: StepCache,
    caches: CacheMounts,
    request: BuildRequest,
    signal: AbortSignal,
    onEvent: (event: BuildEvent) => void,
  ) {
    this.#ports = ports;
    this.#request = request;
    this.#dockerfile = parseDockerfile(request.dockerfile.bytes, request.dockerfile.name);
    this.#places = new Places(this.#dockerfile);
    const here = hostPlatform();
    const platform = request.platform ?? here;
    const args = request.buildArgs;
    this.#globals = new GlobalArgs(this.#dockerfile, args, platformArgs(platform, here), this.#places);
    const options = { target: request.target, platform, globals: this.#globals };
    this.#graph = planGraph(this.#dockerfile, options, this.#places);
    const epoch = Object.hasOwn(args, "SOURCE_DATE_EPOCH") ? args.SOURCE_DATE_EPOCH : undefined;
    const given = request.sourceDateEpoch === undefined ? epoch : String(request.sourceDateEpoch);
    this.#epoch = given === undefined || given === "" ? undefined : parseEpoch(given);
    this.#total = this.#graph.stages.reduce((sum, { stage }) => sum + 1 + stage.instructions.length, 0);
    const id = ports.random.hex(6);
    const folder = join(ports.scratch, id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#lease = ports.store.leases.begin(`build ${id}`);
    const emit = (event: BuildEvent) => {
      if (event.type === "cached") this.#cached += 1;
      if (event.type === "warning") this.#warnings.push(event.text);
      onEvent(event);
    };
    const { noCache, keepVolatile } = request;
    this.#scope = { id, ports, cache, caches, lease: this.#lease, signal, noCache, keepVolatile, emit, folder };
    this.#bases = new BaseImages(this.#scope, request, this.#places);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bases[Symbol.asyncDispose]();
    this.#scope.cache.rememberUses();
    rmSync(this.#scope.folder, { recursive: true, force: true });
    this.#lease[Symbol.dispose]();
  }

  async result(): Promise<BuildResult> {
    this.#scope.emit({ type: "plan", steps: this.#total });
    // In turn; only what a stage names must be done before it, so they may as well go side by side.
    for (const planned of this.#graph.stages) await this.#build(planned);
    const target = this.#stages.get(this.#graph.target)!;
    const unused = this.#globals.unused();
    if (unused.length > 0) {
      this.#scope.emit({ type: "warning", text: `no ARG took the build arguments ${unused.join(", ")}` });
    }
    return await this.#finish(target);
  }

  async #build({ stage, base, platform }: PlannedStage): Promise<void> {
    this.#announce(stage, stage.from.text, stage.from.range.start.line);
    const began = this.#ports.clock.monotonic();
    const { draft, layerTime, onBuild } = await this.#start(stage, base, platform);
    this.#scope.emit({ type: "done", step: this.#step, milliseconds: this.#ports.clock.monotonic() - began });
    const env = new Map((draft.config.Env ?? []).map(splitVariable));
    const execution = new StageExecution(
      {
        scope: this.#scope,
        request: this.#request,
        dockerfile: this.#dockerfile,
        places: this.#places,
        globals: this.#globals,
        index: stage.index,
        platform,
        layerTime,
        files: (origin, range) => this.#files(origin, range),
        nextStep: (instruction) => this.#announce(stage, instruction.text, instruction.range.start.line),
      },
      withConfig(draft, { OnBuild: [] }),
      new StageVariables(env),
    );
    const triggers = onBuild.map((text) => this.#trigger(text, stage));
    for (const instruction of [...triggers, ...stage.instructions]) await execution.execute(instruction);
    this.#stages.set(stage.index, { draft: execution.draft, platform, layerTime });
  }

  /** A base's trigger, placed at the FROM that brought it in. */
  #trigger(text: string, stage: Stage): Instruction {
    return { ...parseTrigger(text, stage.from.image.text), range: stage.from.range } as Instruction;
  }

  #announce(stage: Stage, text: string, line: number): number {
    this.#step += 1;
    const of = Math.max(this.#total, this.#step);
    const name = stage.name ?? `stage-${stage.index}`;
    this.#scope.emit({ type: "step", step: this.#step, of, stage: name, text, line });
    return this.#step;
  }

  async #start(
    stage: Stage,
    base: Origin,
    platform: Platform,
  ): Promise<{ draft: ImageDraft; layerTime: number; onBuild: readonly string[] }> {
    if (base.kind === "scratch")
      return { draft: emptyDraft, layerTime: layerTimeOf(this.#epoch, undefined), onBuild: [] };
    if (base.kind === "stage") {
      const { draft, layerTime } = this.#stages.get(base.index)!;
      return { draft: { ...draft, ownCommand: false }, layerTime, onBuild: draft.config.OnBuild ?? [] };
    }
    const image = await this.#bases.open(base, this.#step, stage.from.image.range);
    const { os, architecture } = image.config;
    if (os !== platform.os || architecture !== platform.architecture) {
      const text = `${base.reference} is for ${os}/${architecture}, this build is for ${formatPlatform(platform)}`;
      this.#scope.emit({ type: "warning", text, line: stage.from.range.start.line });
    }
    const onBuild = image.draft.config.OnBuild ?? [];
    return { draft: image.draft, layerTime: layerTimeOf(this.#epoch, image.config.created), onBuild };
  }

  async #files(origin: Origin, range: Range): Promise<{ folder: string; key: string }> {
    if (origin.kind === "scratch") return this.#bases.mount(undefined);
    if (origin.kind === "image") {
      const image = await this.#bases.open(origin, this.#step, range);
      return this.#bases.mount(image.draft.chain);
    }
    const stage = this.#stages.get(origin.index);
    if (stage !== undefined) return this.#bases.mount(stage.draft.chain);
    // Only an ONBUILD trigger can name a stage that planning did not see.
    const from = this.#dockerfile.stages[origin.index]!.from;
    throw this.#places.wrong(
      from.range,
      `an ONBUILD trigger copies from this stage, and nothing else needs it`,
      "Name it in a COPY --from before.",
    );
  }

  async #finish({ draft, platform, layerTime }: BuiltStage): Promise<BuildResult> {
    const { blobs, images } = this.#ports.store;
    const labels = this.#request.labels;
    const labelled =
      Object.keys(labels).length === 0 ? draft : withConfig(draft, { Labels: { ...draft.config.Labels, ...labels } });
    const config = await blobs.put(encodeConfig(labelled, platform, layerTime));
    this.#lease.add({ blob: config.digest });
    const descriptor = { mediaType: mediaTypes.config, digest: config.digest, size: config.size };
    const manifest = await blobs.put(encodeManifest(descriptor, labelled.layers));
    this.#lease.add({ blob: manifest.digest });
    this.#scope.signal.throwIfAborted();
    const target = { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.size };
    this.#ports.faults.at("build.image.put");
    const record = images.put(target, this.#request.names ?? []);
    const { config: image } = await images.open(record, platform);
    return {
      manifest: target,
      record,
      config: image,
      layers: labelled.layers.map((layer) => layer.descriptor),
      cachedSteps: this.#cached,
      steps: this.#step,
      warnings: this.#warnings,
    };
  }
}

function splitVariable(entry: string): [string, string] {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
