import { posix } from "node:path";
import type { Mount, Range, Run } from "#formats/dockerfile/contract.ts";
import type { Lookup } from "#formats/dockerfile/expand.ts";
import type { CacheRequest } from "./cache-mounts.ts";
import { digestGroup } from "./copy-step.ts";
import type { BuildScope } from "./layer-step.ts";
import type { Places } from "./places.ts";
import type { SourceRoot } from "./tasks.ts";

/** A mount of a RUN with every word filled in. `at` is its place in the Dockerfile. */
export type PlannedMount = { readonly target: string; readonly at: Range } & (
  | { readonly kind: "tmpfs"; readonly size?: number }
  | ({ readonly kind: "cache"; readonly readonly: boolean } & CacheRequest)
  /** The context's files, by COPY's rules, in a copy of their own. */
  | { readonly kind: "copy"; readonly root: SourceRoot; readonly source: string; readonly readonly: boolean }
  /** A path of a stage's or an image's files. */
  | { readonly kind: "bind"; readonly folder: string; readonly source: string }
  | {
      readonly kind: "secret";
      readonly id: string;
      readonly env?: string;
      readonly isFile: boolean;
      readonly required: boolean;
      /** Asked for when the step is made, not when it is planned. */
      readonly value?: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
);

export interface PlannedMounts {
  readonly mounts: readonly PlannedMount[];
  /** What of them decides the result: places and the content of binds; neither secrets nor what caches hold. */
  readonly key: readonly unknown[];
}

/** What planning asks of the stage. */
export interface MountSetting {
  readonly scope: BuildScope;
  readonly places: Places;
  readonly lookup: Lookup;
  readonly cwd: string;
  context(): SourceRoot;
  /** Files of a stage or an image. */
  from(name: string, range: Range): Promise<{ readonly folder: string; readonly key: string }>;
}

export async function planMounts(run: Run, setting: MountSetting): Promise<PlannedMounts> {
  const mounts: PlannedMount[] = [];
  const key: unknown[] = [];
  for (const mount of run.mounts) {
    const planned = await plan(mount, new Words(mount, setting), setting);
    mounts.push(planned.mount);
    key.push(planned.key);
  }
  return { mounts, key };
}

/** The values of one mount, with variables filled in. */
class Words {
  readonly #mount: Mount;
  readonly #setting: MountSetting;

  constructor(mount: Mount, setting: MountSetting) {
    this.#mount = mount;
    this.#setting = setting;
  }

  text(name: "target" | "source" | "id" | "env"): string | undefined {
    const text = this.#mount[name];
    return text === undefined ? undefined : this.#setting.places.text(text, this.#mount.range, this.#setting.lookup);
  }

  target(fallback: string): string {
    const path = posix.resolve("/", this.#setting.cwd, this.text("target") ?? fallback);
    if (path === "/") throw this.wrong("nothing can be mounted over the root itself");
    return path;
  }

  number(name: "uid" | "gid", fallback: number): number {
    const text = this.#mount[name] ?? String(fallback);
    if (!/^\d{1,9}$/.test(text)) throw this.wrong(`${name} is ${JSON.stringify(text)}, not a number`);
    return Number(text);
  }

  mode(fallback: number): number {
    const text = this.#mount.mode ?? fallback.toString(8);
    if (!/^[0-7]{1,5}$/.test(text)) throw this.wrong(`mode is ${JSON.stringify(text)}, not an octal number`);
    return Number.parseInt(text, 8);
  }

  /** "64m", "1g", plain bytes. */
  size(): number | undefined {
    const text = this.#mount.size;
    if (text === undefined) return undefined;
    const match = /^(\d{1,12})([kmgt]?)i?b?$/i.exec(text);
    if (match === null) throw this.wrong(`size is ${JSON.stringify(text)}, not a number of bytes`);
    return Number(match[1]) * 1024 ** " kmgt".indexOf(match[2]!.toLowerCase() || " ");
  }

  wrong(because: string, kind?: "unsupported"): Error {
    return this.#setting.places.wrong(this.#mount.range, because, undefined, kind);
  }
}

async function plan(
  mount: Mount,
  words: Words,
  setting: MountSetting,
): Promise<{ readonly mount: PlannedMount; readonly key: unknown }> {
  const at = mount.range;
  const owner = () => ({ uid: words.number("uid", 0), gid: words.number("gid", 0) });
  switch (mount.type) {
    case "tmpfs": {
      const target = words.target("");
      const size = words.size();
      return { mount: { kind: "tmpfs", target, at, ...(size === undefined ? {} : { size }) }, key: ["tmpfs", target] };
    }
    case "cache": {
      if (mount.from !== undefined)
        throw words.wrong("a cache mount's from is not executed by this version", "unsupported");
      const target = words.target("");
      const { sharing, readonly = false } = mount;
      const id = words.text("id") ?? target;
      return {
        mount: { kind: "cache", target, at, id, sharing, readonly, mode: words.mode(0o755), ...owner() },
        key: ["cache", target],
      };
    }
    case "secret": {
      const env = words.text("env");
      const id = words.text("id") ?? posix.basename(words.text("target") ?? env ?? "");
      if (id === "") throw words.wrong("a secret needs an id");
      const isFile = env === undefined || mount.target !== undefined;
      const target = words.target(`/run/secrets/${id}`);
      const { required } = mount;
      const more = { mode: words.mode(0o400), ...owner(), ...(env === undefined ? {} : { env }) };
      return {
        mount: { kind: "secret", target, at, id, isFile, required, ...more },
        key: ["secret", id, isFile ? target : null, env ?? null],
      };
    }
    case "ssh":
      throw words.wrong("RUN --mount=type=ssh is not executed by this version", "unsupported");
    case "bind":
      return await planBind(mount, words, setting);
  }
}

async function planBind(mount: Mount, words: Words, setting: MountSetting) {
  const at = mount.range;
  const target = words.target("");
  const source = posix.join("/", words.text("source") ?? "/");
  const { readonly = true } = mount;
  if (mount.from === undefined) {
    const root = setting.context();
    // The name itself, whatever signs are in it.
    const plain = source === "/" ? "." : source.slice(1).replace(/[*?[\\]/g, "\\$&");
    const group = { root, sources: [plain], exclude: [], unpack: false };
    const { digest } = await digestGroup(setting.scope, group, at, setting.places);
    return {
      mount: { kind: "copy" as const, target, at, root, source: plain, readonly },
      key: ["bind", target, digest],
    };
  }
  if (!readonly)
    throw words.wrong("a writable bind of a stage or image is not executed by this version", "unsupported");
  const { folder, key } = await setting.from(mount.from, at);
  return { mount: { kind: "bind" as const, target, at, folder, source }, key: ["bind", target, key, source] };
}
