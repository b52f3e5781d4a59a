import { mkdirSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { readAccountFiles } from "#containers/runtime/process-spec.ts";
import { resolveUser } from "#containers/runtime/users.ts";
import type { Add, Copy, Range } from "#formats/dockerfile/contract.ts";
import type { Lookup } from "#formats/dockerfile/expand.ts";
import { heredocText } from "#formats/dockerfile/heredoc.ts";
import type { BuildScope } from "./layer-step.ts";
import type { Places } from "./places.ts";
import { copySources, type DigestArgs, digestSources, type SourceRoot } from "./tasks.ts";

/** Sources of one root, with what they hold. */
export interface SourceGroup extends DigestArgs {
  readonly digest: string;
  readonly unpack: boolean;
  /** Where --chmod says nothing else. */
  readonly mode?: number;
}

/** A COPY or ADD with every word filled in. */
export interface CopyPlan {
  readonly sources: readonly string[];
  /** Absolute; a "/" at the end says folder. */
  readonly destination: string;
  readonly chown?: string;
  readonly mode?: number;
  readonly exclude: readonly string[];
}

export function planCopy(instruction: Copy | Add, cwd: string, lookup: Lookup, places: Places): CopyPlan {
  refuseUnsupported(instruction, places);
  const sources = instruction.sources
    .filter((word) => !isHeredoc(instruction, word.text))
    .map((word) => places.word(word, lookup));
  const written = places.word(instruction.destination, lookup);
  const destination = absolute(written, cwd);
  if (instruction.sources.length > 1 && !destination.endsWith("/")) {
    throw places.wrong(
      instruction.destination.range,
      `several sources need a folder to go to, and ${JSON.stringify(written)} does not end in /`,
      `Write ${JSON.stringify(`${written}/`)}.`,
    );
  }
  const chown = instruction.chown === undefined ? undefined : flagText(instruction, "chown", lookup, places);
  const mode = instruction.chmod === undefined ? undefined : octalMode(instruction, lookup, places);
  return {
    sources,
    destination,
    exclude: instruction.exclude.map((pattern) => places.text(pattern, instruction.range, lookup)),
    ...(chown === undefined || chown === "" ? {} : { chown }),
    ...(mode === undefined ? {} : { mode }),
  };
}

function refuseUnsupported(instruction: Copy | Add, places: Places): void {
  const refused = instruction.kind === "COPY" ? ["parents"] : ["keep-git-dir"];
  const flag = instruction.flags.find((candidate) => refused.includes(candidate.name) && candidate.value !== "false");
  if (flag === undefined) return;
  const because = `${instruction.kind} --${flag.name} is not executed by this version`;
  throw places.wrong(flag.range, because, undefined, "unsupported");
}

function isHeredoc(instruction: Copy | Add, word: string): boolean {
  return instruction.heredocs.length > 0 && /^\d*<</.test(word);
}

/** An absolute path; "." and ".." at its end say folder as a "/" does. */
function absolute(path: string, cwd: string): string {
  const resolved = posix.resolve("/", cwd, path);
  const isFolder = /(?:^|\/)\.{0,2}$/.test(path);
  return isFolder && resolved !== "/" ? `${resolved}/` : resolved;
}

function flagRange(instruction: Copy | Add, name: string): Range {
  return instruction.flags.find((flag) => flag.name === name)?.range ?? instruction.range;
}

function flagText(instruction: Copy | Add, name: "chown" | "chmod", lookup: Lookup, places: Places): string {
  return places.text(instruction[name] ?? "", flagRange(instruction, name), lookup);
}

function octalMode(instruction: Copy | Add, lookup: Lookup, places: Places): number {
  const text = flagText(instruction, "chmod", lookup, places);
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  const symbolic = /^[ugoa]*[-+=][rwxXst]*(?:,[ugoa]*[-+=][rwxXst]*)*$/.test(text);
  const range = flagRange(instruction, "chmod");
  if (symbolic) {
    throw places.wrong(
      range,
      `--chmod=${text} is not executed by this version`,
      "Write it as a number: 0755.",
      "unsupported",
    );
  }
  throw places.wrong(range, `--chmod=${text} is no mode`, "Write it as a number: 0755.");
}

/** Heredocs as files of a folder, named as they are. */
export function heredocSources(
  instruction: Copy | Add,
  folder: string,
  lookup: Lookup,
  places: Places,
): { readonly root: SourceRoot; readonly sources: readonly string[] } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sources = instruction.heredocs.map((heredoc, index) => {
    const text = heredocText(heredoc);
    const content = heredoc.expand ? places.heredoc(text, heredoc.range, lookup) : text;
    const name = posix.basename(heredoc.name);
    if (name === "" || name === "." || name === "..") {
      throw places.wrong(heredoc.range, `${JSON.stringify(heredoc.name)} is no name for a file`);
    }
    const inner = join(folder, String(index));
    mkdirSync(inner);
    writeFileSync(join(inner, name), content, { mode: 0o644 });
    return `${index}/${name.replace(/[*?[\\]/g, "\\$&")}`;
  });
  return { root: { folder, keepMode: false }, sources };
}

/** Reads what the sources hold; an error says at which instruction. */
export async function digestGroup(
  scope: BuildScope,
  group: DigestArgs & { readonly unpack: boolean },
  range: Range,
  places: Places,
): Promise<SourceGroup> {
  try {
    const { digest } = await scope.ports.bulk.run(digestSources, group, { signal: scope.signal });
    return { ...group, digest };
  } catch (error) {
    throw atPlace(error, range, places);
  }
}

/** Puts the instruction's place before an error that knows only files. */
export function atPlace(error: unknown, range: Range, places: Places): unknown {
  if (!(error instanceof GantryError)) return error;
  const { on, because, next, details } = error.parts;
  if (error.kind === "cancelled" || details?.line !== undefined) return error;
  const placed = places.wrong(range, on === undefined ? because : `${JSON.stringify(on)}: ${because}`, next);
  return new GantryError(error.kind, { ...placed.parts, cause: error });
}

/** Copies all groups into the mounted root. */
export async function executeCopy(
  scope: BuildScope,
  plan: CopyPlan,
  groups: readonly SourceGroup[],
  target: string,
  layerTime: number,
): Promise<void> {
  const owner = plan.chown === undefined ? undefined : chownOwner(plan.chown, target);
  for (const { root, sources, exclude, unpack, mode = plan.mode } of groups) {
    const args = {
      root,
      sources,
      exclude,
      unpack,
      target,
      destination: plan.destination,
      layerTime,
      ...(owner === undefined ? {} : { owner }),
      ...(mode === undefined ? {} : { mode }),
    };
    await scope.ports.bulk.run(copySources, args, { signal: scope.signal });
  }
}

/** `--chown=user[:group]` by the image's own files; a bare number is user and group at once. */
function chownOwner(text: string, root: string): { uid: number; gid: number } {
  const both = /^\d+$/.test(text) ? `${text}:${text}` : text;
  const { uid, gid } = resolveUser(both, [], readAccountFiles(root));
  return { uid, gid };
}
