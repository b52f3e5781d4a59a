import { expect, test } from "bun:test";
import { GantryError } from "#base/core/errors.ts";
import type { ContainerRecord, ContainerState } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import { checkFilters, matchesFilters } from "./container-filter.ts";

function record(name: string, created: number, state: ContainerState, labels = {}): ContainerRecord {
  return {
    id: `${name}0`.padEnd(64, "0"),
    name,
    created,
    image: "sha256:aa",
    sandbox: { network: { kind: "bridge" } },
    config: {} as ContainerRecord["config"],
    request: { image: "busybox", config: { Labels: labels }, host: {}, mounts: [{ Name: "data", Destination: "/d" }] },
    state,
    volumes: [],
  };
}

const old = record("old", 1000, { status: "exited", exitCode: 3, startedAt: 0, finishedAt: 0, oomKilled: false });
const web = record("web", 5000, { status: "running", pid: 1, startedAt: 0 }, { stage: "a=b", tier: "1" });
const missing = (name: string) => new GantryError("not-found", { doing: "find", on: name, because: "there is none" });
const engine = {
  containers: {
    get: (name: string) => {
      const found = [old, web].find((item) => item.name === name);
      if (found === undefined) throw missing(name);
      return found;
    },
  },
  store: {
    images: {
      resolve: (name: string) => {
        if (name !== "busybox:latest") throw missing(name);
        return { id: "sha256:aa" };
      },
    },
  },
} as unknown as Engine;

const found = (filters: Record<string, string[]>) =>
  [old, web].filter((item) => matchesFilters(engine, item, new Map(Object.entries(filters)))).map((item) => item.name);

test("names are patterns, with or without docker's slash", () => {
  expect(found({ name: ["we"] })).toEqual(["web"]);
  expect(found({ name: ["^/web$"] })).toEqual(["web"]);
  expect(found({ name: ["/old"] })).toEqual(["old"]);
  expect(() => found({ name: ["("] })).toThrow("no pattern");
});

test("values of one filter are alternatives, of labels all must hold, and filters hold together", () => {
  expect(found({ status: ["exited", "running"] })).toEqual(["old", "web"]);
  expect(found({ label: ["stage=a=b", "tier"] })).toEqual(["web"]);
  expect(found({ label: ["stage=a=b", "none"] })).toEqual([]);
  expect(found({ status: ["exited"], exited: ["0"] })).toEqual([]);
  expect(found({ exited: ["3"] })).toEqual(["old"]);
});

test("an image that is not here has no containers, and is no error", () => {
  expect(found({ ancestor: ["busybox:latest"] })).toEqual(["old", "web"]);
  expect(found({ ancestor: ["nosuch"] })).toEqual([]);
});

test("before and since name containers, until a moment; one that is not there is said", () => {
  expect(found({ before: ["web"] })).toEqual(["old"]);
  expect(found({ since: ["old"] })).toEqual(["web"]);
  expect(found({ until: ["2"] })).toEqual(["old"]);
  expect(found({ until: ["24h"] })).toEqual(["old", "web"]);
  expect(() => found({ until: ["soon"] })).toThrow("neither seconds");
  expect(() => found({ before: ["none"] })).toThrow("there is none");
});

test("volumes are found by name and by place", () => {
  expect(found({ volume: ["data"] })).toEqual(["old", "web"]);
  expect(found({ volume: ["/other"] })).toEqual([]);
});

test("an unknown filter is refused with the known ones", () => {
  expect(() => checkFilters(new Map([["colour", []]]))).toThrow("Known are id, name, status");
});
