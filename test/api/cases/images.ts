import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { filters, json, one, start, statusOf } from "../words.ts";

type Summary = { RepoTags: string[]; Containers: number; SharedSize: number };
export const imageCases: readonly Case[] = [
  one("images: the list and its fields", async (api) => {
    const list = await json<Summary[]>(api, "/images/json");
    expect(list.map(({ RepoTags }) => RepoTags)).toEqual([["busybox:latest"]]);
    return Object.keys(list[0]!).sort();
  }),
  one("images: inspect and what is in it", async (api) => {
    const found = await json<Record<string, never>>(api, "/images/busybox/json");
    return { fields: Object.keys(found).sort(), os: found.Os, architecture: found.Architecture };
  }),
  one("images: history", async (api) => {
    const items = await json<object[]>(api, "/images/busybox/history");
    return { count: items.length, fields: Object.keys(items[0]!).sort() };
  }),
  one("images: a tag more, a tag less, and the image stays", async (api) => {
    const codes = [await statusOf(api, "POST", "/images/busybox/tag?repo=other&tag=1")];
    const { body } = await api.ask("DELETE", "/images/other:1");
    expect(body).toEqual([{ Untagged: "other:1" }]);
    codes.push(await statusOf(api, "GET", "/images/other:1/json"), await statusOf(api, "GET", "/images/busybox/json"));
    expect(codes).toEqual([201, 404, 200]);
    return codes;
  }),
  ...(
    [
      ["reference", ["other"], 1],
      ["reference", ["oth*"], 1],
      ["reference", ["none"], 0],
      ["dangling", ["true"], 0],
      ["label", ["none"], 0],
    ] as const
  ).map(([filter, values, count]) =>
    one(`images: the filter ${filter}=${values.join(",")}`, async (api) => {
      await api.ask("POST", "/images/busybox/tag?repo=other");
      const found = await json<object[]>(api, `/images/json?${filters({ [filter]: values })}`);
      expect(found.length).toBe(count);
      return found.length;
    }),
  ),
  one("images: a container committed with changes runs as it was changed", async (api) => {
    await start(api, { Cmd: ["sh", "-c", "echo kept > /file"] }, "c1");
    await api.ask("POST", "/containers/c1/wait");
    const query = `container=c1&repo=made&tag=1&comment=why&author=who&changes=${encodeURIComponent('CMD ["cat","/file"]\nENV A=1')}`;
    const { status } = await api.ask("POST", `/commit?${query}`);
    const image = await json<{ Config: { Cmd: string[]; Env: string[] }; Author: string; Comment: string }>(
      api,
      "/images/made:1/json",
    );
    const { out } = await api.cli(["run", "--rm", "made:1"]);
    expect(out).toBe("kept\n");
    return {
      status,
      cmd: image.Config.Cmd,
      env: image.Config.Env.includes("A=1"),
      author: image.Author,
      comment: image.Comment,
    };
  }),
  one("images: saved and loaded again under its name", async (api) => {
    const file = `${api.folder}/saved.tar`;
    await api.cli(["tag", "busybox", "saved:1"]);
    await api.cli(["save", "-o", file, "saved:1"]);
    await api.cli(["rmi", "saved:1"]);
    const { out } = await api.cli(["load", "-i", file]);
    expect(out).toBe("Loaded image: saved:1\n");
    return out;
  }),
  one("images: prune without dangling ones removes nothing", async (api) => {
    const { status, body } = await api.ask("POST", "/images/prune");
    return { status, reclaimed: (body as { SpaceReclaimed: number }).SpaceReclaimed };
  }),
];
