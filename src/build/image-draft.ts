import { defaultPath } from "#containers/runtime/environment.ts";
import type {
  ContainerConfig,
  Descriptor,
  Digest,
  HistoryEntry,
  ImageConfig,
  Platform,
} from "#formats/oci/contract.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { formatLayerTime } from "./layer-time.ts";

export interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** An image as it stands between two instructions. Every change gives a new one: stages share their bases freely. */
export interface ImageDraft {
  readonly config: ContainerConfig;
  readonly author?: string;
  readonly history: readonly HistoryEntry[];
  readonly layers: readonly BuiltLayer[];
  /** Of the last layer; missing when there is none. */
  readonly chain?: Digest;
  /** Whether CMD was given in this Dockerfile: an ENTRYPOINT forgets the base's. */
  readonly ownCommand: boolean;
}

/** What FROM scratch gives, as BuildKit has it. */
export const emptyDraft: ImageDraft = {
  config: { Env: [`PATH=${defaultPath}`], WorkingDir: "/" },
  history: [],
  layers: [],
  ownCommand: false,
};

export function withConfig(draft: ImageDraft, change: Partial<ContainerConfig>): ImageDraft {
  return { ...draft, config: { ...draft.config, ...change } };
}

export function withHistory(draft: ImageDraft, entry: HistoryEntry): ImageDraft {
  return { ...draft, history: [...draft.history, entry] };
}

const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.layer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip,
  [mediaTypes.dockerLayerZstd]: mediaTypes.layerZstd,
};

/** A base's layer as an OCI manifest names it: the same blob, an OCI media type, nothing else. */
export function ownDescriptor(layer: Descriptor): Descriptor {
  const { digest, size } = layer;
  return { mediaType: ociTypes[layer.mediaType] ?? layer.mediaType, digest, size };
}

/** PATH is always set, as BuildKit has it: `ENV PATH=/x:$PATH` over an image without one must not lose /bin. */
function withPath(config: ContainerConfig): ContainerConfig {
  const env = config.Env ?? [];
  return env.some((entry) => entry.startsWith("PATH=")) ? config : { ...config, Env: [`PATH=${defaultPath}`, ...env] };
}

/** The draft an image of the store gives to a stage that starts from it. */
export function draftOf(image: {
  config: ImageConfig;
  layers: readonly Descriptor[];
  chain: readonly Digest[];
}): ImageDraft {
  const { config, layers, chain } = image;
  const top = chain.at(-1);
  return {
    config: withPath(config.config ?? {}),
    ...(config.author === undefined ? {} : { author: config.author }),
    history: config.history ?? [],
    layers: layers.map((layer, index) => ({
      descriptor: ownDescriptor(layer),
      diffId: config.rootfs.diff_ids[index]!,
    })),
    ...(top === undefined ? {} : { chain: top }),
    ownCommand: false,
  };
}

/** Keys in a fixed order, empty values left out: what is equal has equal bytes. */
const configOrder = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "Shell",
  "StopTimeout",
  "NetworkDisabled",
] as const satisfies readonly (keyof ContainerConfig)[];

/** Maps whose order means nothing, and which are therefore sorted. */
const unordered: ReadonlySet<string> = new Set(["ExposedPorts", "Volumes", "Labels"]);

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function orderedConfig(config: ContainerConfig): ContainerConfig {
  const out: Record<string, unknown> = {};
  for (const key of configOrder) {
    const value = config[key];
    // An empty CMD or ENTRYPOINT says "none", a missing one too.
    if (!isEmpty(value)) out[key] = unordered.has(key) ? sorted(value as object) : value;
  }
  return out as ContainerConfig;
}

/** The image config's bytes. */
export function encodeConfig(draft: ImageDraft, platform: Platform, layerTime: number): Uint8Array {
  const config: ImageConfig = {
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    created: formatLayerTime(layerTime),
    ...(draft.author === undefined ? {} : { author: draft.author }),
    config: orderedConfig(draft.config),
    rootfs: { type: "layers", diff_ids: draft.layers.map((layer) => layer.diffId) },
    history: draft.history,
  };
  return encodeDocument(config);
}

export function encodeManifest(config: Descriptor, layers: readonly BuiltLayer[]): Uint8Array {
  return encodeDocument({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: layers.map((layer) => layer.descriptor),
  });
}
