import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context, Entry } from "./context.ts";
import type { HealthCheck, HealthProbe } from "./contract.ts";
import { afterProbe, freshHealth, keptOutput, probeDelay, probeTimeout } from "./health.ts";
import { stopContainer } from "./stopping.ts";

/** Probes a running container's health until its end, when it has a check. */
export function probe(context: Context, entry: Entry): void {
  const { health: check } = entry.record.config;
  if (check === undefined) return;
  entry.probing?.abort();
  const end = new AbortController();
  entry.probing = end;
  void probeUntil(context, entry, check, end.signal);
}

async function probeUntil(context: Context, entry: Entry, check: HealthCheck, end: AbortSignal): Promise<void> {
  for (let count = 0; ; count += 1) {
    const wait = probeDelay(check, entry.record.health ?? freshHealth, ranFor(context, entry));
    // The only rejection is the abort.
    await context.clock.sleep(wait, end).catch(() => undefined);
    if (end.aborted) return;
    if (entry.record.state.status !== "running") continue;
    const began = ranFor(context, entry);
    const result = await probeOnce(context, entry, check, end, count);
    if (end.aborted) return;
    record(context, entry, check, result, began);
  }
}

function ranFor(context: Context, { record: { state } }: Entry): number {
  return "startedAt" in state ? Math.max(0, context.clock.now() - state.startedAt) : 0;
}

/** A change of status is committed and told; the probes between live in memory. */
function record(context: Context, entry: Entry, check: HealthCheck, result: HealthProbe, began: number): void {
  const before = entry.record.health ?? freshHealth;
  const health = afterProbe(check, before, result, began);
  entry.set({ health });
  if (health.status === before.status) return;
  context.table.update("health", entry.record);
  context.emit(`health_status: ${health.status}`, entry.record);
  if (health.status === "unhealthy") void act(context, entry, check);
}

async function act(context: Context, entry: Entry, { onFailure = "none" }: HealthCheck): Promise<void> {
  if (onFailure === "none" || !entry.running) return;
  if (onFailure === "restart") entry.againAfterEnd = true;
  if (onFailure === "stop") entry.set({ stoppedByUser: true });
  if (onFailure === "kill") await context.runtime.kill(entry.record.id, "SIGKILL", true);
  else await stopContainer(context, entry, {});
}

async function probeOnce(
  context: Context,
  entry: Entry,
  check: HealthCheck,
  end: AbortSignal,
  count: number,
): Promise<HealthProbe> {
  const { config, sandbox, id } = entry.record;
  const folder = join(entry.paths.run, `health-${count}`);
  const startedAt = context.clock.now();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), probeTimeout(check));
  const pieces: Uint8Array[] = [];
  let room = keptOutput;
  try {
    mkdirSync(folder, { mode: 0o700 });
    const processFile = join(folder, "process.json");
    const { terminal: _terminal, size: _size, ...own } = config.process;
    const hostname = sandbox.hostname ?? id.slice(0, 12);
    context.runtime.writeProcess(
      processFile,
      entry.paths.rootfs,
      { ...config, hostname },
      { ...own, args: check.test },
    );
    const { code } = await context.runtime.exec({
      id,
      processFile,
      pidFile: join(folder, "pid"),
      signal: AbortSignal.any([late.signal, end]),
      onOutput: (_stream, bytes) => {
        if (room > 0) pieces.push(bytes.slice(0, room));
        room -= bytes.length;
      },
    });
    return { startedAt, finishedAt: context.clock.now(), exitCode: code, output: textOf(pieces) };
  } catch (error) {
    const tooLate = late.signal.aborted ? `Health check exceeded timeout (${probeTimeout(check)} ms)` : undefined;
    const output = tooLate ?? (error instanceof Error ? error.message : String(error));
    return { startedAt, finishedAt: context.clock.now(), exitCode: -1, output: `${textOf(pieces)}${output}` };
  } finally {
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}

function textOf(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString("utf8");
}
