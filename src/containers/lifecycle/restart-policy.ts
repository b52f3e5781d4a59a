import type { RestartPolicy } from "./contract.ts";

export interface EndedRun {
  readonly policy: RestartPolicy | undefined;
  readonly exitCode: number;
  /** A stop, or a kill that meant one, asked for this end. */
  readonly stoppedByUser: boolean;
  /** Restarts since somebody last started it by hand. */
  readonly restarts: number;
  /** Milliseconds. */
  readonly ranFor: number;
  /** The wait before this run, milliseconds; absent for a first run. */
  readonly lastDelay?: number;
}

export type RestartPlan = { readonly kind: "stay" } | { readonly kind: "restart"; readonly delay: number };

const firstDelay = 100;
const longestDelay = 60_000;
/** A run this long is taken for a good start: the waits begin anew. */
const goodRun = 10_000;

/** What follows an end: Docker's rules and waits (100 ms, doubled each time up to a minute). */
export function planRestart(run: EndedRun): RestartPlan {
  if (!wantsRestart(run)) return { kind: "stay" };
  const fresh = run.lastDelay === undefined || run.ranFor >= goodRun;
  return {
    kind: "restart",
    delay: fresh ? firstDelay : Math.min(Math.max(run.lastDelay * 2, firstDelay), longestDelay),
  };
}

function wantsRestart({ policy, exitCode, stoppedByUser, restarts }: EndedRun): boolean {
  if (policy === undefined || policy.name === "no" || stoppedByUser) return false;
  if (policy.name !== "on-failure") return true;
  return exitCode !== 0 && (policy.maximumRetries === 0 || restarts < policy.maximumRetries);
}

/** Whether one that has ended before runs again when an engine starts: "always" holds even after a stop by hand. */
export function runsAtEngineStart(policy: RestartPolicy | undefined, stoppedByUser: boolean): boolean {
  return policy?.name === "always" || (policy?.name === "unless-stopped" && !stoppedByUser);
}
