import { GantryError } from "#base/core/errors.ts";
import type { HealthCheck } from "#containers/lifecycle/contract.ts";
import type { ContainerConfig, HostConfig } from "#formats/docker/container.ts";

/** The annotation that says what becoming unhealthy brings about: none, kill, restart or stop. */
export const onFailureAnnotation = "io.gantry.health.on-failure";

const actions = ["none", "kill", "restart", "stop"] as const;
const leastNanoseconds = 1e6;

/** `Config.Healthcheck` (already merged with the image's) as a check, or undefined for none. Errors: "invalid". */
export function healthCheckOf(
  { Healthcheck: asked, Shell: shell }: ContainerConfig,
  { Annotations: annotations }: HostConfig,
): HealthCheck | undefined {
  const [kind, ...words] = asked?.Test ?? [];
  if (asked === undefined || asked === null || kind === undefined || kind === "" || kind === "NONE") return undefined;
  const check: HealthCheck = {
    test: testOf(kind, words, shell ?? ["/bin/sh", "-c"]),
    interval: milliseconds("Interval", asked.Interval),
    timeout: milliseconds("Timeout", asked.Timeout),
    startPeriod: milliseconds("StartPeriod", asked.StartPeriod),
    startInterval: milliseconds("StartInterval", asked.StartInterval),
    retries: retriesOf(asked.Retries),
  };
  const action = annotations?.[onFailureAnnotation];
  return action === undefined ? check : { ...check, onFailure: actionOf(action) };
}

function testOf(kind: string, words: readonly string[], shell: readonly string[]): readonly string[] {
  if (kind === "CMD" && words.length > 0) return words;
  if (kind === "CMD-SHELL" && words.length > 0) return [...shell, words.join(" ")];
  throw wrong("Test", kind, "it begins with CMD or CMD-SHELL and a command, or is NONE");
}

function milliseconds(name: string, value: number | undefined): number {
  if (value === undefined || value === 0) return 0;
  if (value >= leastNanoseconds) return value / 1e6;
  throw wrong(name, String(value), `${name} in Healthcheck cannot be less than 1ms`);
}

function retriesOf(value = 0): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw wrong("Retries", String(value), "Retries in Healthcheck cannot be negative");
}

function actionOf(text: string): NonNullable<HealthCheck["onFailure"]> {
  const action = actions.find((known) => known === text);
  if (action !== undefined) return action;
  throw wrong("on-failure", text, `it is one of ${actions.join(", ")}`);
}

function wrong(name: string, on: string, because: string): GantryError {
  return new GantryError("invalid", { doing: `set the health check's ${name}`, on, because });
}
