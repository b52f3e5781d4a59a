import { GantryError } from "#base/core/errors.ts";
import type { RestartPolicy } from "#containers/lifecycle/contract.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/** `HostConfig.RestartPolicy`. Errors: "invalid" for an unknown name, a bad count, or beside AutoRemove. */
export function restartPolicyOf(policy: HostConfig["RestartPolicy"], autoRemove: boolean): RestartPolicy {
  const name = policy?.Name || "no";
  const retries = policy?.MaximumRetryCount ?? 0;
  const wrong = (because: string, next: string) =>
    new GantryError("invalid", { doing: "set the restart policy", on: name, because, next });
  if (!["no", "always", "unless-stopped", "on-failure"].includes(name)) {
    throw wrong("there is none of that name", "Known are no, on-failure[:N], always and unless-stopped.");
  }
  if (name !== "on-failure" && retries !== 0) {
    throw wrong("maximum retry count cannot be used with it", "Only on-failure takes a count.");
  }
  if (!Number.isInteger(retries) || retries < 0) {
    throw wrong(`maximum retry count cannot be negative, nor ${retries}`, "Give a whole number; 0 is without end.");
  }
  if (name !== "no" && autoRemove) {
    throw new GantryError("invalid", {
      doing: "create the container",
      because: "can't create 'AutoRemove' container with restart policy",
      next: "Leave out --rm or --restart.",
    });
  }
  if (name === "on-failure") return { name, maximumRetries: retries };
  return { name: name as "no" | "always" | "unless-stopped" };
}
