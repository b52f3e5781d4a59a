import { closeSync, existsSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { arch, cpus, version as kernelVersion, release, totalmem } from "node:os";
import { describe } from "#base/core/errors.ts";
import { commit, version } from "#base/core/version.ts";
import type { InfoAnswer } from "#formats/docker/system.ts";
import { size } from "../output/words.ts";
import type { Finding } from "./finding.ts";
import { findProgram } from "./programs.ts";
import { redact } from "./redact.ts";

export interface ReportParts {
  readonly findings: readonly Finding[];
  readonly info: InfoAnswer | undefined;
  readonly dataRoot: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly mounts: string;
  readonly osRelease: string;
}

const logBytes = 64 * 1024;

/** Writes all of it as one text file that only its owner can read, without secrets. */
export async function writeReport(file: string, parts: ReportParts): Promise<void> {
  const own = Object.entries(parts.env)
    .filter(([name]) => /^(GANTRY_|DOCKER_|XDG_|.*_proxy$|SOURCE_DATE_EPOCH$|PATH$)/i.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const sections: readonly (readonly [string, string])[] = [
    ["Checks", parts.findings.map(findingLine).join("\n")],
    ["Versions", await versions(parts.osRelease)],
    ["Engine", parts.info === undefined ? "none answers" : JSON.stringify(parts.info, undefined, 2)],
    ["Environment", own.join("\n")],
    ["Mounts", parts.mounts.trimEnd()],
    [`Last lines of engine.log`, logTail(`${parts.dataRoot}/engine.log`)],
  ];
  const text = sections.map(([title, body]) => `== ${title}\n${body}\n`).join("\n");
  writeFileSync(file, redact(text), { mode: 0o600, flag: "wx" });
}

export function findingLine({ subject, state, found, remedy }: Finding): string {
  return `${state.padEnd(7)}  ${subject}: ${found}${remedy === undefined ? "" : `. ${remedyWords(remedy)}`}`;
}

/** A sentence stays one; a command is introduced. */
export function remedyWords(remedy: string): string {
  return remedy.endsWith(".") ? remedy : `Run: ${remedy}`;
}

async function versions(osRelease: string): Promise<string> {
  const lines = [
    `gantry ${version} (${commit}), Bun ${Bun.version}`,
    `${/^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? "Linux"}, kernel ${release()}, ${kernelVersion()}, ${arch()}`,
    `${cpus().length} processors, ${size(totalmem())} memory`,
  ];
  for (const name of ["crun", "conmon", "nft", "catatonit", "mmdebstrap", "nsenter"]) lines.push(await versionOf(name));
  return lines.join("\n");
}

async function versionOf(name: string): Promise<string> {
  const path = findProgram(name);
  if (path === null) return `${name}: not installed`;
  try {
    const child = Bun.spawn([path, "--version"], { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 3000 });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return `${name}: ${(out || err).split("\n", 1)[0]!.trim()}`;
  } catch (error) {
    return `${name}: ${describe(error)}`;
  }
}

function logTail(file: string): string {
  if (!existsSync(file)) return "there is no engine.log";
  try {
    const fd = openSync(file, "r");
    try {
      const total = fstatSync(fd).size;
      const bytes = Buffer.alloc(Math.min(total, logBytes));
      const count = readSync(fd, bytes, 0, bytes.length, total - bytes.length);
      const text = bytes.toString("utf8", 0, count).trimEnd();
      // The first line may be cut in two: half a secret is one that no rule knows.
      return total > bytes.length ? text.slice(text.indexOf("\n") + 1) : text;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return describe(error);
  }
}
