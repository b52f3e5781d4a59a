import { expect, test } from "bun:test";
import type { ContainerRecord, Containers } from "#containers/lifecycle/contract.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import type { EventLog } from "./contract.ts";
import { ImageRemoval } from "./image-removal.ts";

const name = (text: string) => `docker.io/library/${text}`;

function world(images: Record<string, string[]>, users: Record<string, "running" | "exited"> = {}) {
  const names = new Map(Object.entries(images).map(([id, list]) => [id, list.map(name)]));
  const told: string[] = [];
  let collected = 0;
  const recordOf = (id: string) => ({ id, names: [...names.get(id)!] }) as unknown as ImageRecord;
  const store = {
    images: {
      list: () => [...names.keys()].map(recordOf),
      resolve: (text: string) =>
        recordOf([...names].find(([id, list]) => id === text || list.includes(name(text)))?.[0] ?? "?"),
      untag: (full: string) => {
        for (const [id, list] of names)
          names.set(
            id,
            list.filter((item) => item !== full),
          );
      },
      remove: (id: string) => names.delete(id),
    },
    collect: async () => {
      collected += 1;
      return { bytes: 5 };
    },
  } as unknown as Store;
  const containers = {
    list: () =>
      Object.entries(users).map(([image, status]) => ({
        image,
        name: "web",
        id: "c".repeat(64),
        state: { status },
        config: {},
      })) as ContainerRecord[] | never,
  } as unknown as Containers;
  const events = { publish: ({ action }: { action: string }) => told.push(action) } as unknown as EventLog;
  return { removal: new ImageRemoval(store, containers, events), names, told, collected: () => collected };
}

test("one name of several goes alone, the last takes the image with it", async () => {
  const { removal, names, told, collected } = world({ "sha256:aa": ["a:1", "b:1"] });
  expect(await removal.remove("a:1", false)).toEqual([{ untagged: "a:1" }]);
  expect(names.get("sha256:aa")).toEqual([name("b:1")]);
  expect(await removal.remove("b:1", false)).toEqual([{ untagged: "b:1" }, { deleted: "sha256:aa" }]);
  expect(names.size).toBe(0);
  expect(told).toEqual(["untag", "untag", "delete"]);
  expect(collected()).toBe(2);
});

test("an id with several names needs force, and is left whole without it", async () => {
  const { removal, names } = world({ "sha256:aa": ["a:1", "b:1"] });
  await expect(removal.remove("sha256:aa", false)).rejects.toThrow("it has several names (a:1, b:1)");
  expect(names.get("sha256:aa")).toHaveLength(2);
  expect(await removal.remove("sha256:aa", true)).toHaveLength(3);
});

test("an image in use stays; force takes only its names, and never under one that runs", async () => {
  const ended = world({ "sha256:aa": ["a:1"] }, { "sha256:aa": "exited" });
  await expect(ended.removal.remove("a:1", false)).rejects.toThrow("web (cccccccccccc, exited) uses it");
  expect(ended.names.get("sha256:aa")).toEqual([name("a:1")]);
  expect(await ended.removal.remove("a:1", true)).toEqual([{ untagged: "a:1" }]);
  expect(ended.names.has("sha256:aa")).toBe(true);
  const runs = world({ "sha256:aa": ["a:1"] }, { "sha256:aa": "running" });
  await expect(runs.removal.remove("a:1", true)).rejects.toMatchObject({ kind: "conflict" });
  expect(runs.names.get("sha256:aa")).toEqual([name("a:1")]);
});

test("prune takes what has no name; all takes what no container uses; a filter keeps the rest", async () => {
  const make = () => world({ "sha256:aa": [], "sha256:bb": ["b:1"], "sha256:cc": ["c:1"] }, { "sha256:cc": "exited" });
  const some = make();
  expect(await some.removal.prune(false)).toEqual({ removed: [{ deleted: "sha256:aa" }], bytes: 5 });
  const all = make();
  expect((await all.removal.prune(true)).removed).toHaveLength(3);
  expect([...all.names.keys()]).toEqual(["sha256:cc"]);
  const filtered = make();
  expect((await filtered.removal.prune(true, (image) => image.id === "sha256:bb")).removed).toHaveLength(2);
  expect(filtered.names.has("sha256:aa")).toBe(true);
});
