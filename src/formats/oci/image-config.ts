import {
  type ContainerConfig,
  documentLimit,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
} from "./contract.ts";
import { readPlatform } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { compact, Fields } from "./json-fields.ts";

/** image-spec, config.md, with Docker's additions; unknown fields are dropped. At most 4 MiB. Error "invalid". */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const fields = Fields.parse(bytes, "read the image config", documentLimit);
  const rootfs = fields.requiredObject("rootfs");
  const type = rootfs.requiredString("type");
  if (type !== "layers") fields.refuse(`rootfs.type is ${type}, not layers`);
  const diffIds = rootfs.strings("diff_ids") ?? [];
  const checked = diffIds.map((diffId, index) =>
    isDigest(diffId) ? diffId : fields.refuse(`rootfs.diff_ids[${index}] is no sha256 or sha512 digest`),
  );
  const config = fields.object("config");
  return compact<ImageConfig>({
    ...readPlatform(fields),
    created: fields.string("created"),
    author: fields.string("author"),
    config: config === undefined ? undefined : readContainerConfig(config),
    rootfs: { type: "layers", diff_ids: checked },
    history: fields.objects("history")?.map(readHistory),
  });
}

function readHistory(fields: Fields): HistoryEntry {
  return compact<HistoryEntry>({
    created: fields.string("created"),
    created_by: fields.string("created_by"),
    author: fields.string("author"),
    comment: fields.string("comment"),
    empty_layer: fields.boolean("empty_layer"),
  });
}

function readContainerConfig(fields: Fields): ContainerConfig {
  const healthcheck = fields.object("Healthcheck");
  return compact<ContainerConfig>({
    User: fields.string("User"),
    ExposedPorts: fields.keySet("ExposedPorts"),
    Env: fields.strings("Env"),
    Entrypoint: fields.strings("Entrypoint"),
    Cmd: fields.strings("Cmd"),
    Volumes: fields.keySet("Volumes"),
    WorkingDir: fields.string("WorkingDir"),
    Labels: fields.textMap("Labels"),
    StopSignal: fields.string("StopSignal"),
    ArgsEscaped: fields.boolean("ArgsEscaped"),
    Healthcheck: healthcheck === undefined ? undefined : readHealthcheck(healthcheck),
    OnBuild: fields.strings("OnBuild"),
    Shell: fields.strings("Shell"),
    StopTimeout: fields.integer("StopTimeout"),
    NetworkDisabled: fields.boolean("NetworkDisabled"),
  });
}

function readHealthcheck(fields: Fields): Healthcheck {
  return compact<Healthcheck>({
    Test: fields.strings("Test"),
    Interval: fields.integer("Interval"),
    Timeout: fields.integer("Timeout"),
    StartPeriod: fields.integer("StartPeriod"),
    StartInterval: fields.integer("StartInterval"),
    Retries: fields.integer("Retries"),
  });
}

const utf8 = new TextEncoder();

/** The bytes of a document this program writes: JSON without spaces, keys in the order the caller made them. */
export function encodeDocument(document: object): Uint8Array {
  return utf8.encode(JSON.stringify(document));
}
