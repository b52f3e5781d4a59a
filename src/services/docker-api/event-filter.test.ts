import { expect, test } from "bun:test";
import type { EventMessage } from "#formats/docker/contract.ts";
import { eventMatcher, knownEventFilters } from "./event-filter.ts";

const start: EventMessage = {
  Type: "container",
  Action: "start",
  Actor: { ID: "abc123", Attributes: { name: "web", image: "nginx:1", stage: "test" } },
  scope: "local",
  time: 1,
  timeNano: 1,
};
const pull: EventMessage = {
  ...start,
  Type: "image",
  Action: "pull",
  Actor: { ID: "sha256:9", Attributes: { name: "nginx:1" } },
};
const matches = (message: EventMessage, asked: Record<string, string[]>) =>
  eventMatcher(new Map(Object.entries(asked)))(message);

test("a container is found by name, by the beginning of its id, and by its image", () => {
  for (const asked of [{ container: ["web"] }, { container: ["abc"] }, { image: ["nginx"] }, { image: ["nginx:1"] }]) {
    expect(matches(start, asked)).toBe(true);
  }
  expect(matches(start, { container: ["we"] })).toBe(false);
  expect(matches(start, { image: ["nginx:2"] })).toBe(false);
  expect(matches(pull, { image: ["nginx"] })).toBe(true);
  expect(matches(pull, { container: ["nginx:1"] })).toBe(false);
});

test("values are alternatives, labels and different filters must all hold", () => {
  expect(matches(start, { event: ["stop", "start"], type: ["container"] })).toBe(true);
  expect(matches(start, { event: ["start"], type: ["image"] })).toBe(false);
  expect(matches(start, { label: ["stage=test", "name"] })).toBe(true);
  expect(matches(start, { label: ["stage=test", "none"] })).toBe(false);
  const exec = { ...start, Action: "exec_create: sh -c true" };
  expect(matches(exec, { event: ["exec_create"] })).toBe(true);
});

test("every filter of the description is known; a swarm's match nothing that happens here", () => {
  expect(knownEventFilters).toEqual(
    "config container daemon event image label network node plugin scope secret service type volume".split(" "),
  );
  for (const name of ["config", "node", "plugin", "secret", "service"])
    expect(matches(start, { [name]: ["web"] })).toBe(false);
  expect(matches(start, { scope: ["local"] })).toBe(true);
  expect(matches(start, { scope: ["swarm"] })).toBe(false);
});
