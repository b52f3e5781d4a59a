import { GantryError } from "#base/core/errors.ts";
import { touchAt, unlinkAt } from "#base/system/files/change.ts";
import type { FileStatus, FileTime } from "#base/system/files/contract.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { statAt } from "#base/system/files/status.ts";
import { must } from "#base/system/libc/errno.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { pycRule, removalRules, reports } from "./normalise-rules.ts";
import { renewCompiled, sourceOfCompiled } from "./pyc.ts";
import type { NormaliseArgs, Normalised } from "./tasks.ts";

/** Deeper trees are refused: each level holds a descriptor. */
const deepest = 4000;
const folderFlags = openFlags.directory | openFlags.noFollow;

/** See {@link NormaliseArgs}. Nothing runs in the folder any more and nothing mounts it yet. */
export function normalise(args: NormaliseArgs, context: TaskContext): Normalised {
  using root = openFolder(args.upper);
  const changes = new Map<string, string[]>();
  if (args.removeVolatile) removeVolatile(root.fd, changes);
  const pass = new Pass(args, changes, context);
  pass.folder(root.fd, "", 0);
  return {
    changes: [...changes].map(([rule, paths]) => ({ rule, paths: paths.sort() })),
    reports: pass.reports.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function removeVolatile(root: number, changes: Map<string, string[]>): void {
  for (const rule of removalRules) {
    for (const path of rule.paths) {
      const slash = path.lastIndexOf("/");
      const folder = openInside(root, path.slice(0, slash), "beneath", folderFlags);
      if (folder < 0) continue;
      using parent = owned(folder);
      const name = path.slice(slash + 1);
      const status = statAt(parent.fd, name);
      if (typeof status !== "object" || status.kind !== "file") continue;
      must(unlinkAt(parent.fd, name), { doing: "remove the volatile file", on: path });
      note(changes, rule.name, path);
    }
  }
}

function note(changes: Map<string, string[]>, rule: string, path: string): void {
  const paths = changes.get(rule) ?? [];
  paths.push(path);
  changes.set(rule, paths);
}

interface Child {
  readonly name: Uint8Array;
  readonly status: FileStatus;
}

class Pass {
  readonly reports: Normalised["reports"][number][] = [];
  readonly #layerTime: number;
  readonly #time: FileTime;
  readonly #byRun: boolean;
  readonly #changes: Map<string, string[]>;
  readonly #context: TaskContext;

  constructor({ layerTime, byRun }: NormaliseArgs, changes: Map<string, string[]>, context: TaskContext) {
    this.#layerTime = layerTime;
    this.#time = { seconds: layerTime, nanoseconds: 0 };
    this.#byRun = byRun;
    this.#changes = changes;
    this.#context = context;
  }

  /** Everything in the folder; the folder's own time is its parent's affair, for what is below changes it. */
  folder(fd: number, path: string, depth: number): void {
    this.#context.check();
    if (depth > deepest) {
      throw new GantryError("invalid", {
        doing: "make a layer of the step",
        on: path.slice(0, 200),
        because: `its folders are nested more than ${deepest} deep`,
      });
    }
    const children = this.#children(fd);
    if (this.#byRun) this.#renewCompiled(fd, path, children);
    for (const { name, status } of children) {
      const at = path === "" ? text(name) : `${path}/${text(name)}`;
      if (status.kind === "directory") this.#into(fd, name, at, depth);
      else if (status.kind === "file" && this.#byRun) this.#report(at);
      this.#clamp(fd, name);
    }
  }

  #children(fd: number): Child[] {
    return listFolder(fd).flatMap(({ name }) => {
      const status = statAt(fd, name);
      return typeof status === "object" ? [{ name, status }] : [];
    });
  }

  #into(fd: number, name: Uint8Array, path: string, depth: number): void {
    using inner = owned(must(openAt(fd, name, folderFlags), { doing: "open the folder", on: path }));
    this.folder(inner.fd, path, depth + 1);
  }

  /** The time again after what was done below. */
  #clamp(fd: number, name: Uint8Array): void {
    const status = statAt(fd, name);
    if (typeof status !== "object") return;
    const { seconds, nanoseconds } = status.modified;
    if (seconds < this.#layerTime || (seconds === this.#layerTime && nanoseconds === 0)) return;
    must(touchAt(fd, name, this.#time), { doing: "set the time of", on: text(name) });
  }

  #report(path: string): void {
    for (const { path: pattern, because, next } of reports) {
      if (pattern.test(path)) this.reports.push({ path, because, next });
    }
  }

  /** Sources and what was compiled from them, before any of their times change. */
  #renewCompiled(fd: number, path: string, children: readonly Child[]): void {
    const sources = new Map<string, FileStatus>();
    for (const { name, status } of children) {
      if (status.kind === "file" && endsWith(name, ".py")) sources.set(text(name), status);
    }
    if (sources.size === 0) return;
    const renew = (folder: number, candidates: readonly Uint8Array[], at: string) => {
      for (const name of candidates) {
        if (!endsWith(name, ".pyc") && !endsWith(name, ".pyo")) continue;
        const source = sources.get(sourceOfCompiled(text(name)) ?? "");
        if (source === undefined || !renewCompiled(folder, name, source, this.#layerTime)) continue;
        note(this.#changes, pycRule.name, `${at}${text(name)}`);
      }
    };
    const prefix = path === "" ? "" : `${path}/`;
    renew(
      fd,
      children.filter(({ status }) => status.kind === "file").map(({ name }) => name),
      prefix,
    );
    const cache = children.find(({ name, status }) => status.kind === "directory" && text(name) === "__pycache__");
    if (cache === undefined) return;
    using inner = owned(must(openAt(fd, cache.name, folderFlags), { doing: "open the folder", on: prefix }));
    renew(
      inner.fd,
      listFolder(inner.fd).map(({ name }) => name),
      `${prefix}__pycache__/`,
    );
  }
}

function text(name: Uint8Array): string {
  return Buffer.from(name).toString("utf8");
}

function endsWith(name: Uint8Array, end: string): boolean {
  return Buffer.from(name.buffer, name.byteOffset, name.length).subarray(-end.length).toString("latin1") === end;
}
