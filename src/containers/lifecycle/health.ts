import type { Health, HealthCheck, HealthProbe } from "./contract.ts";

/** Docker's defaults. Milliseconds. */
const defaults = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5000, retries: 3 } as const;

const keptProbes = 5;
/** Bytes of a probe's output that are kept. */
export const keptOutput = 4096;

export const freshHealth: Health = { status: "starting", failingStreak: 0, probes: [] };

export function probeTimeout(check: HealthCheck): number {
  return check.timeout || defaults.timeout;
}

/** Milliseconds until the next probe of a container that has run for `ranFor`. */
export function probeDelay(check: HealthCheck, health: Health, ranFor: number): number {
  const interval = check.interval || defaults.interval;
  const starting = health.status === "starting" && ranFor < (check.startPeriod || defaults.startPeriod);
  return starting ? Math.min(check.startInterval || defaults.startInterval, interval) : interval;
}

/** Health after a probe that began `ranFor` milliseconds into the run. Failures of the start period do not count. */
export function afterProbe(check: HealthCheck, health: Health, probe: HealthProbe, ranFor: number): Health {
  const probes = [...health.probes, probe].slice(-keptProbes);
  if (probe.exitCode === 0) return { status: "healthy", failingStreak: 0, probes };
  const excused = health.status === "starting" && ranFor < (check.startPeriod || defaults.startPeriod);
  const failingStreak = health.failingStreak + (excused ? 0 : 1);
  const ill = failingStreak >= (check.retries || defaults.retries);
  return { status: ill ? "unhealthy" : health.status, failingStreak, probes };
}
