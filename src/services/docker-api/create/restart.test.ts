import { expect, test } from "bun:test";
import { healthCheckOf } from "./health.ts";
import { restartPolicyOf } from "./restart.ts";

test("each restart policy is understood, and what none of them means is refused", () => {
  expect(restartPolicyOf(undefined, true)).toEqual({ name: "no" });
  expect(restartPolicyOf({ Name: "" }, false)).toEqual({ name: "no" });
  expect(restartPolicyOf({ Name: "always" }, false)).toEqual({ name: "always" });
  expect(restartPolicyOf({ Name: "on-failure", MaximumRetryCount: 3 }, false)).toEqual({
    name: "on-failure",
    maximumRetries: 3,
  });
  expect(() => restartPolicyOf({ Name: "sometimes" }, false)).toThrow("none of that name");
  expect(() => restartPolicyOf({ Name: "always", MaximumRetryCount: 3 }, false)).toThrow("maximum retry count");
  expect(() => restartPolicyOf({ Name: "on-failure", MaximumRetryCount: -1 }, false)).toThrow("negative");
  expect(() => restartPolicyOf({ Name: "always" }, true)).toThrow("AutoRemove");
});

test("a health check is read in each of its forms, in milliseconds", () => {
  expect(healthCheckOf({}, {})).toBeUndefined();
  expect(healthCheckOf({ Healthcheck: { Test: ["NONE"] } }, {})).toBeUndefined();
  expect(healthCheckOf({ Healthcheck: { Test: [] } }, {})).toBeUndefined();
  expect(healthCheckOf({ Healthcheck: { Test: ["CMD", "true"], Interval: 5e9, Retries: 2 } }, {})).toMatchObject({
    test: ["true"],
    interval: 5000,
    retries: 2,
    timeout: 0,
  });
  expect(healthCheckOf({ Healthcheck: { Test: ["CMD-SHELL", "a || b"] } }, {})?.test).toEqual([
    "/bin/sh",
    "-c",
    "a || b",
  ]);
  expect(healthCheckOf({ Healthcheck: { Test: ["CMD-SHELL", "x"] }, Shell: ["/bin/bash", "-c"] }, {})?.test).toEqual([
    "/bin/bash",
    "-c",
    "x",
  ]);
  const annotated = { Annotations: { "io.gantry.health.on-failure": "restart" } };
  expect(healthCheckOf({ Healthcheck: { Test: ["CMD", "x"] } }, annotated)?.onFailure).toBe("restart");
});

test.each([
  [{ Test: ["RUN", "x"] }, {}],
  [{ Test: ["CMD"] }, {}],
  [{ Test: ["CMD", "x"], Interval: 10 }, {}],
  [{ Test: ["CMD", "x"], Retries: -1 }, {}],
  [{ Test: ["CMD", "x"] }, { Annotations: { "io.gantry.health.on-failure": "pray" } }],
])("a wrong health check is refused: %j %j", (check, host) => {
  expect(() => healthCheckOf({ Healthcheck: check }, host)).toThrow("Cannot set the health check's");
});
