import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, filters, json, one, ran, sleeping, statusOf } from "../words.ts";

type Volume = { Name: string; Driver: string; Labels: object | null; Options: object | null; Scope: string };
export const volumeCases: readonly Case[] = [
  one("volumes: create, inspect and remove", async (api) => {
    const made = await api.ask("POST", "/volumes/create", { Name: "vol", Labels: { a: "b" } });
    const { Name, Driver, Labels, Scope } = await json<Volume>(api, "/volumes/vol");
    expect([Name, Driver, Labels, Scope]).toEqual(["vol", "local", { a: "b" }, "local"]);
    const fields = Object.keys(made.body as object).sort();
    return { created: made.status, fields, removed: await statusOf(api, "DELETE", "/volumes/vol") };
  }),
  one("volumes: the same name twice is the same volume", async (api) => {
    const codes = [];
    for (let times = 0; times < 2; times++) codes.push(await statusOf(api, "POST", "/volumes/create", { Name: "vol" }));
    expect(codes).toEqual([201, 201]);
    return codes;
  }),
  one("volumes: one in use is not removed, also by force", async (api) => {
    await create(api, { ...sleeping, HostConfig: { Binds: ["vol:/v"] } });
    const codes = [
      await statusOf(api, "DELETE", "/volumes/vol"),
      await statusOf(api, "DELETE", "/volumes/vol?force=1"),
    ];
    expect(codes).toEqual([409, 409]);
    return codes;
  }),
  one("volumes: by force one that is not there is gone", async (api) => {
    return statusOf(api, "DELETE", "/volumes/none?force=1");
  }),
  ...(
    [
      ["name", ["us"], ["used"]],
      ["dangling", ["true"], ["labelled"]],
      ["dangling", ["false"], ["used"]],
      ["label", ["a"], ["labelled"]],
      ["label", ["a=c"], []],
      ["driver", ["local"], ["labelled", "used"]],
    ] as const
  ).map(([filter, values, wanted]) =>
    one(`volumes: the filter ${filter}=${values.join(",")}`, async (api) => {
      await api.ask("POST", "/volumes/create", { Name: "labelled", Labels: { a: "b" } });
      await create(api, { ...sleeping, HostConfig: { Binds: ["used:/v"] } });
      const { Volumes } = await json<{ Volumes: Volume[] | null }>(api, `/volumes?${filters({ [filter]: values })}`);
      const names = (Volumes ?? []).map(({ Name }) => Name).sort();
      expect(names).toEqual([...wanted]);
      return names;
    }),
  ),
  one("volumes: tmpfs options hold, and its content goes with its last user", async (api) => {
    const DriverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=1000" };
    await api.ask("POST", "/volumes/create", { Name: "tmp", DriverOpts });
    const HostConfig = { Binds: ["tmp:/t"] };
    const first = await ran(api, "stat -c %u /t; df -k /t | tail -1 | awk '{print $2}'; echo x > /t/x", { HostConfig });
    expect(first.out).toBe("1000\n1024\n");
    return [first, await ran(api, "ls /t", { HostConfig })];
  }),
  one("volumes: a part of one is mounted alone", async (api) => {
    await ran(api, "mkdir /v/a; echo in > /v/a/f", { HostConfig: { Binds: ["vol:/v"] } });
    const mount = (Subpath: string) => ({
      HostConfig: { Mounts: [{ Type: "volume", Source: "vol", Target: "/x", VolumeOptions: { Subpath } }] },
    });
    const seen = await ran(api, "cat /x/f", mount("a"));
    expect(seen.out).toBe("in\n");
    return seen;
  }),
  one("volumes: an empty one gets the image's content, one marked nocopy does not", async (api) => {
    const copied = await ran(api, "ls /etc | head -1", { HostConfig: { Binds: ["full:/etc"] } });
    const bare = await ran(api, "ls /etc | grep -c passwd", { HostConfig: { Binds: ["bare:/etc:nocopy"] } });
    return { copied: copied.code, bare: bare.out };
  }),
  one("volumes: prune takes the anonymous, with all the named too", async (api) => {
    await api.ask("POST", "/volumes/create", { Name: "named" });
    await api.ask("POST", "/volumes/create", {});
    const count = async (query: string) =>
      ((await api.ask("POST", `/volumes/prune${query}`)).body as { VolumesDeleted: string[] | null }).VolumesDeleted
        ?.length ?? 0;
    const counts = [await count(""), await count(`?${filters({ all: ["true"] })}`)];
    expect(counts).toEqual([1, 1]);
    return counts;
  }),
];
