import type { Command } from "commander";
import { GantryError } from "#base/core/errors.ts";
import type { Healthcheck } from "#formats/docker/container.ts";
import { parseDuration } from "#formats/docker/duration.ts";

export interface HealthFlags {
  readonly healthCmd?: string;
  readonly healthInterval?: string;
  readonly healthTimeout?: string;
  readonly healthStartPeriod?: string;
  readonly healthStartInterval?: string;
  readonly healthRetries?: string;
  readonly healthOnFailure?: string;
  /** false: --no-healthcheck. */
  readonly healthcheck: boolean;
}

export function declareHealthFlags(command: Command): void {
  command
    .option("--health-cmd <command>", "a command of the shell that tells whether it is well")
    .option("--health-interval <duration>", "time between probes, default 30s")
    .option("--health-timeout <duration>", "longest time of a probe, default 30s")
    .option("--health-start-period <duration>", "time in which failures do not count")
    .option("--health-start-interval <duration>", "time between probes meanwhile, default 5s")
    .option("--health-retries <number>", "failures in a row that make it unhealthy, default 3")
    .option("--health-on-failure <action>", "none, kill, restart or stop when it becomes unhealthy")
    .option("--no-healthcheck", "without the image's health check");
}

/** Undefined when no flag says anything: then the image's own check holds. Errors: "invalid". */
export function healthcheck(flags: HealthFlags): Healthcheck | undefined {
  const times = {
    ...nanoseconds("Interval", flags.healthInterval),
    ...nanoseconds("Timeout", flags.healthTimeout),
    ...nanoseconds("StartPeriod", flags.healthStartPeriod),
    ...nanoseconds("StartInterval", flags.healthStartInterval),
    ...(flags.healthRetries === undefined ? {} : { Retries: Number(flags.healthRetries) }),
  };
  if (!flags.healthcheck) {
    if (flags.healthCmd === undefined && Object.keys(times).length === 0) return { Test: ["NONE"] };
    throw new GantryError("invalid", {
      doing: "read --no-healthcheck",
      because: "it conflicts with --health-* options",
      next: "Leave one of them out.",
    });
  }
  if (flags.healthCmd !== undefined) return { Test: ["CMD-SHELL", flags.healthCmd], ...times };
  return Object.keys(times).length === 0 ? undefined : times;
}

/** The Engine API has no field for it; an annotation carries it. */
export function healthAnnotations({ healthOnFailure }: HealthFlags): Record<string, string> {
  return healthOnFailure === undefined ? {} : { "io.gantry.health.on-failure": healthOnFailure };
}

function nanoseconds(name: keyof Healthcheck, text: string | undefined): Healthcheck {
  if (text === undefined) return {};
  const value = parseDuration(text);
  if (value !== undefined) return { [name]: value };
  throw new GantryError("invalid", {
    doing: `read the health check's ${name}`,
    on: text,
    because: "it is no duration",
    next: "For example: 30s, 1m30s.",
  });
}
