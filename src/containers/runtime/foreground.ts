import { closeSync, existsSync, readFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { makePipe } from "#base/system/process/pipe.ts";
import type { ExecOptions, Exit, RunOptions, Runtime } from "./contract.ts";
import { crunError } from "./crun-words.ts";

/** `crun run` with this process as its parent; see `Runtime.run`. */
export async function runForeground(runtime: Runtime, options: RunOptions): Promise<Exit> {
  const { id, bundle, spec, signal } = options;
  if (signal?.aborted) throw cancelled(id);
  runtime.writeBundle(bundle, spec);
  const words = [...runtime.prefix, runtime.program, ...runtime.programArguments, "--log", `${bundle}/crun.log`];
  const stdout = makePipe();
  const stderr = makePipe();
  const child = spawnWith([...words, "run", "--bundle", bundle, id], options.stdin ?? "ignore", [stdout, stderr]);
  let killing: Promise<void> | undefined;
  const kill = () => {
    // First the whole cgroup by crun, then crun itself, which may not have come that far.
    killing = runtime
      .delete(id)
      .catch(() => undefined)
      .finally(() => child.kill("SIGKILL"));
  };
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const [code] = await Promise.all([
      child.exited,
      pump(stdout.read, (bytes) => options.onOutput?.("stdout", bytes)),
      pump(stderr.read, (bytes) => options.onOutput?.("stderr", bytes)),
    ]);
    if (signal?.aborted) throw cancelled(id);
    if (code !== 0) await refuseWhatNeverRan(bundle, spec.process.args[0] ?? "");
    return { code };
  } finally {
    signal?.removeEventListener("abort", kill);
    await killing;
    await runtime.delete(id);
  }
}

/** `crun exec` with this process as its parent; see `Runtime.exec`. */
export async function execForeground(runtime: Runtime, options: ExecOptions): Promise<Exit> {
  const { id, processFile, pidFile, signal } = options;
  if (signal?.aborted) throw cancelled(id);
  const words = [...runtime.prefix, runtime.program, ...runtime.programArguments, "exec"];
  const stdout = makePipe();
  const stderr = makePipe();
  const child = spawnWith([...words, "--process", processFile, "--pid-file", pidFile, id], "ignore", [stdout, stderr]);
  const kill = () => {
    // The process itself is no child of this one; crun is, and ends with it.
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    if (Number.isInteger(pid) && pid > 1 && isChildOf(pid, child.pid)) process.kill(pid, "SIGKILL");
    else child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const [code] = await Promise.all([
      child.exited,
      pump(stdout.read, (bytes) => options.onOutput?.("stdout", bytes)),
      pump(stderr.read, (bytes) => options.onOutput?.("stderr", bytes)),
    ]);
    if (signal?.aborted) throw cancelled(id);
    return { code };
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

/** A number may have been given to somebody else meanwhile. */
function isChildOf(pid: number, parent: number): boolean {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
    return Number(afterName.split(" ")[1]) === parent;
  } catch {
    return false; // It has ended.
  }
}

type Pipe = ReturnType<typeof makePipe>;

/** The program gets the write ends; here they are closed, so that reading ends with the last of its processes. */
function spawnWith(words: string[], stdin: "ignore" | number, pipes: readonly [Pipe, Pipe]): Bun.Subprocess {
  try {
    return Bun.spawn(words, {
      cwd: "/",
      env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdio: [stdin, pipes[0].write, pipes[1].write],
    });
  } catch (error) {
    for (const { read } of pipes) closeSync(read);
    throw error;
  } finally {
    for (const { write } of pipes) closeSync(write);
  }
}

async function pump(fd: number, take: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
  try {
    for await (const bytes of Bun.file(fd).stream()) await take(bytes);
  } finally {
    closeSync(fd);
  }
}

/** crun logs only its own failures; a program's exit code alone says nothing of them. */
async function refuseWhatNeverRan(bundle: string, program: string): Promise<void> {
  const log = Bun.file(`${bundle}/crun.log`);
  if (!(await log.exists())) return;
  const text = await log.text();
  if (text.trim() !== "") throw crunError("run", program, text);
}

function cancelled(id: string): GantryError {
  return new GantryError("cancelled", { doing: "finish the run", on: id, because: "it was aborted" });
}
