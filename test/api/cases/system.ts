import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, filters, json, one, ran, sleeping, start } from "../words.ts";

type Summary = { readonly Containers: number; readonly SharedSize: number };

export const systemCases: readonly Case[] = [
  one("system: ping, and its headers", async (api) => {
    const { status, body, headers } = await api.ask("GET", "/_ping");
    expect(body).toBe("OK");
    return { status, api: headers.get("api-version"), os: headers.get("ostype"), cache: headers.get("cache-control") };
  }),
  one("system: every field of version and info", async (api) => {
    const [version, info] = [await json<object>(api, "/version"), await json<object>(api, "/info")];
    return { version: Object.keys(version).sort(), info: Object.keys(info).sort() };
  }),
  one("system: df by kind", async (api) => {
    await create(api, { ...sleeping, HostConfig: { Binds: ["vol:/v"] } });
    type Usage = {
      Images: Summary[];
      Volumes: { UsageData: object }[];
      Containers: object[];
      BuildCache: object[] | null;
    };
    const all = await json<Usage>(api, "/system/df");
    const only = await json<Partial<Usage>>(api, "/system/df?type=volume");
    expect(all.Volumes[0]!.UsageData).toMatchObject({ RefCount: 1 });
    return {
      fields: Object.keys(all).sort(),
      images: all.Images.map(({ Containers, SharedSize }) => [Containers, SharedSize]),
      containers: all.Containers.length,
      volumes: only.Volumes?.length,
      others: (only.Images?.length ?? 0) + (only.Containers?.length ?? 0),
    };
  }),
  one("system: events of a container's life, filtered", async (api) => {
    const since = Math.floor(Date.now() / 1000) - 1;
    await ran(api, "true");
    const until = Math.ceil(Date.now() / 1000) + 1;
    const query = `since=${since}&until=${until}&${filters({ type: ["container"], event: ["create", "start", "die", "destroy"] })}`;
    const { body } = await api.ask("GET", `/events?${query}`);
    const actions = String(body)
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { Action: string }).Action);
    expect(actions.slice(-4)).toEqual(["create", "start", "die", "destroy"]);
    return actions.slice(-4);
  }),
  one("system: no plugins", async (api) => (await api.ask("GET", "/plugins")).body),
  one("cli: version, info and df print", async (api) => {
    const codes = [];
    for (const words of [["version"], ["info"], ["system", "df"], ["system", "df", "-v"]])
      codes.push((await api.cli(words)).code);
    expect(codes).toEqual([0, 0, 0, 0]);
    return codes;
  }),
  one("cli: ps by a template", async (api) => {
    await start(api, sleeping, "c1");
    const { out } = await api.cli(["ps", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.State}}"]);
    expect(out).toBe('c1 busybox "sleep 1000" running\n');
    return out;
  }),
  one("cli: stats once", async (api) => {
    await start(api, sleeping, "c1");
    return (await api.cli(["stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "c1"])).out;
  }),
  one("cli: cp in and out", async (api) => {
    await create(api, sleeping, "c1");
    await Bun.write(`${api.folder}/in.txt`, "text");
    const codes = [(await api.cli(["cp", `${api.folder}/in.txt`, "c1:/in.txt"])).code];
    codes.push((await api.cli(["cp", "c1:/in.txt", `${api.folder}/out.txt`])).code);
    expect(await Bun.file(`${api.folder}/out.txt`).text()).toBe("text");
    return codes;
  }),
];
