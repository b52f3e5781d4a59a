import { GantryError } from "#base/core/errors.ts";
import type { Exit, RunOptions, Runtime } from "./contract.ts";
import { crunError } from "./crun-words.ts";

/** `crun run` with this process as its parent; see `Runtime.run`. */
export async function runForeground(runtime: Runtime, options: RunOptions): Promise<Exit> {
  const { id, bundle, spec, signal } = options;
  if (signal?.aborted) throw cancelled(id);
  runtime.writeBundle(bundle, spec);
  const words = [...runtime.prefix, runtime.program, ...runtime.programArguments, "--log", `${bundle}/crun.log`];
  const child = Bun.spawn([...words, "run", "--bundle", bundle, id], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdio: [options.stdin ?? "ignore", "pipe", "pipe"],
  });
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
      pump(child.stdout, (bytes) => options.onOutput?.("stdout", bytes)),
      pump(child.stderr, (bytes) => options.onOutput?.("stderr", bytes)),
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

async function pump(
  stream: ReadableStream<Uint8Array>,
  take: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  for await (const bytes of stream) await take(bytes);
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
