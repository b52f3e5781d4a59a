import { join, posix } from "node:path";
import type { Add, Arg, Copy, Dockerfile, Instruction, Range, Run, Workdir } from "#formats/dockerfile/contract.ts";
import type { Platform } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { formatPlatform } from "#formats/oci/platform.ts";
import { contextRoot } from "./context-root.ts";
import type { BuildRequest } from "./contract.ts";
import {
  atPlace,
  type CopyPlan,
  digestGroup,
  executeCopy,
  heredocSources,
  planCopy,
  type SourceGroup,
} from "./copy-step.ts";
import { download, isGitSource, isUrl, publicUrl, wantedChecksum } from "./download-step.ts";
import { namedOrigin, type Origin } from "./graph.ts";
import { holdMounts, withSecrets } from "./held-mounts.ts";
import { type ImageDraft, withConfig, withHistory } from "./image-draft.ts";
import { type BuildScope, type LayerStep, layerStep } from "./layer-step.ts";
import { formatLayerTime } from "./layer-time.ts";
import { applyMetadata } from "./metadata.ts";
import type { Places } from "./places.ts";
import { type MountSetting, type PlannedMount, planMounts } from "./plan-mounts.ts";
import { RunFiles } from "./run-files.ts";
import { executeRun, planRun, refuseUnsupported } from "./run-step.ts";
import { makeFolder } from "./tasks.ts";
import type { GlobalArgs, StageVariables } from "./variables.ts";

/** What a stage needs of the build it is part of. */
export interface StageSetting {
  readonly scope: BuildScope;
  readonly request: BuildRequest;
  readonly dockerfile: Dockerfile;
  readonly places: Places;
  readonly globals: GlobalArgs;
  readonly index: number;
  readonly platform: Platform;
  readonly layerTime: number;
  /** Lends the files of a stage or image, mounted read-only until the build ends. `key` is their chain. */
  /** `range` is where the Dockerfile asks for them. */
  files(origin: Origin, range: Range): Promise<{ readonly folder: string; readonly key: string }>;
  /** Numbers the next step and says so. */
  nextStep(instruction: Instruction): number;
}

/** Executes one stage's instructions, one after the other. */
export class StageExecution {
  draft: ImageDraft;
  readonly variables: StageVariables;
  readonly #setting: StageSetting;

  constructor(setting: StageSetting, draft: ImageDraft, variables: StageVariables) {
    this.#setting = setting;
    this.draft = draft;
    this.variables = variables;
  }

  async execute(instruction: Instruction): Promise<void> {
    const { scope, places } = this.#setting;
    scope.signal.throwIfAborted();
    const step = this.#setting.nextStep(instruction);
    const began = scope.ports.clock.monotonic();
    const layersBefore = this.draft.layers.length;
    try {
      await this.#one(instruction, step);
    } catch (error) {
      throw atPlace(error, instruction.range, places);
    }
    const layer = this.draft.layers.length > layersBefore ? this.draft.layers.at(-1)?.descriptor : undefined;
    const milliseconds = scope.ports.clock.monotonic() - began;
    scope.emit({ type: "done", step, milliseconds, ...(layer === undefined ? {} : { layer }) });
  }

  #one(instruction: Instruction, step: number): Promise<void> | void {
    switch (instruction.kind) {
      case "RUN":
        return this.#run(instruction, step);
      case "COPY":
      case "ADD":
        return this.#copy(instruction, step);
      case "WORKDIR":
        return this.#workdir(instruction, step);
      case "ARG":
        return this.#arg(instruction);
      default:
        this.draft = applyMetadata(this.draft, instruction, this.variables, this.#setting.places);
        this.#remember(instruction.text, false);
    }
  }

  #arg(arg: Arg): void {
    this.variables.declare(arg, this.#setting.globals, this.#setting.places);
    // As written: a value given on the command line may be a secret and stays out of the history.
    this.#remember(arg.text, false);
  }

  async #run(run: Run, step: number): Promise<void> {
    const { scope, request, places, layerTime, globals, dockerfile } = this.#setting;
    refuseUnsupported(run, places);
    const environment = this.variables.environment();
    const plan = planRun(run, request, this.draft.config, { environment, proxies: globals.proxies() }, layerTime);
    const { mounts: planned, key } = await planMounts(run, this.#mountSetting());
    const files = new RunFiles(scope, plan, layerTime);
    let mounts: readonly PlannedMount[] = [];
    const { proxies: _unkeyed, ...keyed } = plan;
    const { addHosts, limits } = request;
    const at = { run, step, places, lines: dockerfile.lines, file: dockerfile.file };
    await this.#layer(run.text, {
      step,
      inputs: this.#inputs("RUN", {
        ...keyed,
        addHosts,
        shmSize: limits.shmSize ?? null,
        ...(key.length === 0 ? {} : { mounts: key }),
      }),
      byRun: true,
      survey: async (root, bottom) => {
        mounts = await withSecrets(planned, request.secrets, places);
        files.survey(root, bottom, mounts);
      },
      make: async (root) => {
        using held = await holdMounts(mounts, { scope, places, layerTime, folder: root.folder });
        await executeRun(scope, plan, files, held, at, root, request);
      },
    });
  }

  #mountSetting(): MountSetting {
    const { scope, places, dockerfile, index, platform, files } = this.#setting;
    return {
      scope,
      places,
      lookup: this.variables.lookup,
      cwd: this.draft.config.WorkingDir || "/",
      context: () => contextRoot(this.#setting.request),
      from: (name, range) => files(namedOrigin(dockerfile, index, name, range, platform, places), range),
    };
  }

  async #workdir(instruction: Workdir, step: number): Promise<void> {
    const { scope, places, layerTime } = this.#setting;
    const written = places.word(instruction.value, this.variables.lookup);
    const path = posix.resolve("/", this.draft.config.WorkingDir ?? "/", written);
    if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(path)) {
      const next = "Name an ordinary folder: the kernel's own hold other processes' open files.";
      throw places.wrong(instruction.value.range, `${path} is no folder to work in`, next);
    }
    this.draft = withConfig(this.draft, { WorkingDir: path });
    await this.#layer(instruction.text, {
      step,
      inputs: this.#inputs("WORKDIR", { path }),
      byRun: false,
      make: async ({ path: target }) => {
        await scope.ports.bulk.run(makeFolder, { target, path, layerTime }, { signal: scope.signal });
      },
    });
  }

  async #copy(instruction: Copy | Add, step: number): Promise<void> {
    const { scope, places, layerTime } = this.#setting;
    const plan = planCopy(instruction, this.draft.config.WorkingDir ?? "/", this.variables.lookup, places);
    const groups = await this.#groups(instruction, plan, step);
    const digests = groups.map(({ digest, unpack }) => ({ digest, unpack }));
    const { destination, chown = null, mode = null } = plan;
    await this.#layer(publicText(instruction.text), {
      step,
      inputs: this.#inputs(instruction.kind, { destination, chown, mode, digests }),
      byRun: false,
      make: ({ path }) => executeCopy(scope, plan, groups, path, layerTime),
    });
  }

  async #groups(instruction: Copy | Add, plan: CopyPlan, step: number): Promise<SourceGroup[]> {
    const { scope, places } = this.#setting;
    const { exclude } = plan;
    const groups: SourceGroup[] = [];
    const folder = join(scope.folder, `sources-${step}`);
    const urls = instruction.kind === "ADD" ? plan.sources.filter(isUrl) : [];
    const local = plan.sources.filter((source) => !urls.includes(source));
    const git = instruction.kind === "ADD" ? plan.sources.find(isGitSource) : undefined;
    if (git !== undefined) {
      throw places.wrong(
        instruction.range,
        `ADD of a git repository (${publicUrl(git)}) is not executed by this version`,
        undefined,
        "unsupported",
      );
    }
    if (local.length > 0) groups.push(await this.#localGroup(instruction, local, exclude));
    if (instruction.kind === "ADD" && urls.length > 0) {
      groups.push(...(await this.#downloads(instruction, urls, folder, step)));
    }
    if (instruction.heredocs.length > 0) {
      const heredocs = heredocSources(instruction, join(folder, "heredocs"), this.variables.lookup, places);
      groups.push(await digestGroup(scope, { ...heredocs, exclude, unpack: false }, instruction.range, places));
    }
    return groups;
  }

  async #localGroup(
    instruction: Copy | Add,
    sources: readonly string[],
    exclude: readonly string[],
  ): Promise<SourceGroup> {
    const { scope, places, dockerfile, index, platform } = this.#setting;
    const unpack = instruction.kind === "ADD" && (instruction.unpack ?? true);
    if (instruction.kind === "ADD" || instruction.from === undefined) {
      const root = contextRoot(this.#setting.request);
      return digestGroup(scope, { root, sources, exclude, unpack }, instruction.range, places);
    }
    const { value = "", range } = instruction.from;
    const origin = namedOrigin(dockerfile, index, value, range, platform, places);
    const files = await this.#setting.files(origin, instruction.range);
    const root = { folder: files.folder, keepMode: true };
    // What a chain holds never changes: read once, known for good.
    const key = digestOf(JSON.stringify([files.key, sources, exclude]));
    const now = scope.ports.clock.now();
    const known = scope.noCache ? undefined : scope.cache.content(key, now);
    if (known !== undefined) return { root, sources, exclude, unpack, digest: known };
    const group = await digestGroup(scope, { root, sources, exclude, unpack }, instruction.range, places);
    scope.cache.putContent(key, group.digest, now);
    return group;
  }

  async #downloads(add: Add, urls: readonly string[], folder: string, step: number): Promise<SourceGroup[]> {
    const { scope, places } = this.#setting;
    const text = add.checksum === undefined ? undefined : places.text(add.checksum, add.range, this.variables.lookup);
    const wanted = wantedChecksum(add, text, places);
    const groups: SourceGroup[] = [];
    for (const [index, url] of urls.entries()) {
      const inner = join(folder, `url-${index}`);
      const name = await download(scope, url, inner, wanted, { range: add.range, step, places });
      const root = { folder: inner, keepMode: false };
      const sources = [name.replace(/[*?[\\]/g, "\\$&")];
      const group = { root, sources, exclude: [], unpack: add.unpack ?? false };
      const digested = await digestGroup(scope, group, add.range, places);
      // What was downloaded is its owner's alone, as in Docker; unpacked files have modes of their own.
      groups.push(add.chmod === undefined && !group.unpack ? { ...digested, mode: 0o600 } : digested);
    }
    return groups;
  }

  #inputs(instruction: string, of: Readonly<Record<string, unknown>>): LayerStep["inputs"] {
    const { platform, layerTime, request } = this.#setting;
    const { keepVolatile } = request;
    return {
      instruction,
      parent: this.draft.chain,
      platform: formatPlatform(platform),
      layerTime,
      of: { ...of, keepVolatile },
    };
  }

  async #layer(text: string, step: LayerStep): Promise<void> {
    const outcome = await layerStep(this.#setting.scope, step);
    const { layer, chain } = outcome;
    if (layer === undefined || chain === undefined) {
      this.#remember(text, false);
      return;
    }
    this.draft = { ...this.draft, layers: [...this.draft.layers, layer], chain };
    this.#remember(text, true);
  }

  #remember(text: string, hasLayer: boolean): void {
    this.draft = withHistory(this.draft, {
      created: formatLayerTime(this.#setting.layerTime),
      created_by: text,
      comment: "gantry",
      ...(hasLayer ? {} : { empty_layer: true }),
    });
  }
}

/** An instruction for the history: URLs without user-info and query. */
function publicText(text: string): string {
  return text.replace(/https?:\/\/\S+/gi, (url) => publicUrl(url));
}
