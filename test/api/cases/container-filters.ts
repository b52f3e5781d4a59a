import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, filters, json, sleeping, start } from "../words.ts";

type Listed = { Names: string[]; State: string; Image: string; Command: string; Labels: object; Mounts: object[] }[];

export const containerFilterCases: readonly Case[] = [
  ...(
    [
      ["name", ["web"], ["/web", "/web2"]],
      ["name", ["^/web$"], ["/web"]],
      ["status", ["created"], ["/made"]],
      ["status", ["running", "created"], ["/made", "/web", "/web2"]],
      ["label", ["stage"], ["/web", "/web2"]],
      ["label", ["stage=1"], ["/web"]],
      ["label", ["stage=1", "stage=2"], []],
      ["ancestor", ["busybox"], ["/ended", "/made", "/web", "/web2"]],
      ["exited", ["3"], ["/ended"]],
      ["before", ["web2"], ["/made", "/web"]],
      ["since", ["web2"], ["/ended"]],
      ["volume", ["data"], ["/web2"]],
      ["network", ["none"], ["/made"]],
      ["is-task", ["false"], ["/ended", "/made", "/web", "/web2"]],
    ] as const
  ).map(
    ([filter, values, wanted]): Case => ({
      name: `container: the filter ${filter}=${values.join(",")}`,
      run: async (api) => {
        await create(api, { ...sleeping, HostConfig: { NetworkMode: "none" } }, "made");
        await start(api, { ...sleeping, Labels: { stage: "1" } }, "web");
        await start(api, { ...sleeping, Labels: { stage: "2" }, HostConfig: { Binds: ["data:/d"] } }, "web2");
        const ended = await start(api, { Cmd: ["sh", "-c", "exit 3"] }, "ended");
        await api.ask("POST", `/containers/${ended}/wait`);
        // Docker answers the wait before its list knows.
        while ((await json<Listed>(api, `/containers/json?${filters({ status: ["exited"] })}`)).length === 0);
        const found = await json<Listed>(api, `/containers/json?all=1&${filters({ [filter]: values })}`);
        const names = found.map(({ Names }) => Names[0]!).sort();
        expect(names).toEqual([...wanted]);
        return names;
      },
    }),
  ),
];
