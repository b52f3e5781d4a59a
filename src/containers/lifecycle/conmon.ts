import { closeSync, readFileSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { Runtime } from "#containers/runtime/contract.ts";
import { crunError } from "#containers/runtime/crun-words.ts";

export interface ConmonRequest {
  /** The container, for exec too. */
  readonly id: string;
  /** Holds the bundle (or an exec's files); conmon makes its sockets in it. */
  readonly folder: string;
  readonly pidFile: string;
  readonly conmonPidFile: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** Input stays open when a client leaves. */
  readonly keepStdin: boolean;
  readonly log?: { readonly path: string; readonly sizeMax: number };
  readonly exitFolder?: string;
  readonly exec?: { readonly id: string; readonly processFile: string };
  /** For an exec: called when its attach socket is there; it begins when this resolves. */
  readonly beforeExec?: () => Promise<void>;
}

/** A running conmon. It outlives this process; these promises do not. */
export interface Conmon {
  /** The container's (or exec's) first process. */
  readonly pid: number;
  /** Settles when conmon is gone; for an exec with its exit code, when it told. */
  readonly ended: Promise<number | undefined>;
}

/** Descriptors conmon is given: where it reports, where it waits for a word, where it says its socket is there. */
const [syncFd, startFd, attachFd] = [3, 4, 5];

/**
 * Starts conmon, which leaves at once to be nobody's child, lets the runtime create the container and reports.
 * Errors: as the runtime says; "internal" when conmon ends without a word.
 */
export async function startConmon(program: string, runtime: Runtime, request: ConmonRequest): Promise<Conmon> {
  const attach = request.beforeExec;
  const child = Bun.spawn([...runtime.prefix, program, ...conmonArguments(runtime, request)], {
    cwd: "/",
    env: {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      _OCI_SYNCPIPE: String(syncFd),
      ...(attach === undefined ? {} : { _OCI_STARTPIPE: String(startFd), _OCI_ATTACHPIPE: String(attachFd) }),
    },
    stdio: ["ignore", "ignore", "ignore", "pipe", ...(attach === undefined ? [] : (["pipe", "pipe"] as const))],
  });
  if (attach !== undefined) {
    const start = child.stdio[startFd] as number;
    writeSync(start, "\0");
    await readLines(child.stdio[attachFd] as number).next();
    await attach();
    writeSync(start, "\0");
    closeSync(start);
  }
  const words = readLines(child.stdio[syncFd] as number);
  const first = await words.next();
  const doing = request.exec === undefined ? "create the container" : "run in the container";
  if (first.done) {
    throw new GantryError("internal", { doing, on: request.id, because: "conmon ended without a word" });
  }
  const { data, pid, message } = JSON.parse(first.value) as { data?: number; pid?: number; message?: string };
  const created = data ?? pid ?? -1;
  if (created <= 0) throw crunError(doing, request.id, message ?? "");
  return { pid: created, ended: lastWord(words) };
}

async function lastWord(words: AsyncGenerator<string>): Promise<number | undefined> {
  let code: number | undefined;
  for await (const line of words) {
    const { data, exit_code } = JSON.parse(line) as { data?: number; exit_code?: number };
    code = data ?? exit_code ?? code;
  }
  return code;
}

function conmonArguments(runtime: Runtime, request: ConmonRequest): string[] {
  const { exec, log } = request;
  return [
    ...["--api-version", "1", "--cid", request.id, "--cuuid", exec?.id ?? request.id, "--name", request.id],
    ...["--runtime", runtime.program, "--bundle", request.folder, "--full-attach", "--no-sync-log"],
    ...["--container-pidfile", request.pidFile, "--conmon-pidfile", request.conmonPidFile],
    ...(log === undefined
      ? ["--log-path", "off"]
      : ["--log-path", `k8s-file:${log.path}`, "--log-size-max", String(log.sizeMax)]),
    ...(request.exitFolder === undefined ? [] : ["--exit-dir", request.exitFolder]),
    ...(request.terminal ? ["--terminal"] : []),
    ...(request.openStdin ? ["--stdin"] : []),
    ...(request.keepStdin ? ["--leave-stdin-open"] : []),
    ...(exec === undefined ? [] : ["--exec", "--exec-process-spec", exec.processFile]),
    ...(request.beforeExec === undefined ? [] : ["--exec-attach"]),
    ...runtime.programArguments.flatMap((word) => ["--runtime-arg", word]),
  ];
}

async function* readLines(fd: number): AsyncGenerator<string> {
  let text = "";
  for await (const bytes of Bun.file(fd).stream()) {
    text += Buffer.from(bytes).toString("utf8");
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      if (line !== "") yield line;
    }
  }
  if (text.trim() !== "") yield text.trim();
}

/** The live conmon of `id`, by its pid file and its own command line; a reused pid is not taken for it. */
export function findConmon(pidFile: string, id: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[words.indexOf("--cid") + 1] === id ? pid : undefined;
  } catch {
    return undefined; // No file, or no such process.
  }
}

export function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
