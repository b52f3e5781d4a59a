import { expect } from "bun:test";
import type { Api, Case } from "../contract.ts";
import { create, filters, json, plain, ran, sleeping, start, statusOf, whole } from "../words.ts";

const one = (name: string, run: Case["run"]): Case => ({ name, run });

async function exec(api: Api, options: object): Promise<{ out: string; code: number | null }> {
  const run = await api.docker.getContainer("c1").exec({ AttachStdout: true, AttachStderr: true, ...options });
  // A program that cannot be started is refused by the one, and told on the stream by the other.
  const stream = await run.start({}).catch(() => undefined);
  const bytes = stream === undefined ? Buffer.alloc(0) : await whole(stream);
  const { ExitCode } = await run.inspect();
  return { out: plain(bytes), code: ExitCode };
}

const execCases: readonly Case[] = (
  [
    ["its output and its code", { Cmd: ["sh", "-c", "echo out; echo err >&2; exit 4"] }],
    ["its user", { Cmd: ["id", "-u"], User: "1000" }],
    ["its working folder", { Cmd: ["pwd"], WorkingDir: "/etc" }],
    ["its environment over the container's", { Cmd: ["sh", "-c", "echo $A $B"], Env: ["B=2"] }],
    ["a program that is not there", { Cmd: ["no-such-program"] }],
    ["root's rights", { Cmd: ["id", "-u"], Privileged: true }],
  ] as const
).map(([what, options]) =>
  one(`exec: ${what}`, async (api) => {
    await start(api, { ...sleeping, Env: ["A=1", "B=1"] }, "c1");
    const { out, code } = await exec(api, options);
    return what.startsWith("a program") ? { code } : { out, code };
  }),
);

const moreExec: readonly Case[] = [
  one("exec: inspect before and after", async (api) => {
    await start(api, sleeping, "c1");
    const { body } = await api.ask("POST", "/containers/c1/exec", { Cmd: ["true"], AttachStdout: true });
    const { Id } = body as { Id: string };
    const before = await json<Record<string, unknown>>(api, `/exec/${Id}/json`);
    const status = await statusOf(api, "POST", `/exec/${Id}/start`, { Detach: true });
    expect(before.Running).toBe(false);
    return { status, fields: Object.keys(before).sort(), code: before.ExitCode };
  }),
  one("exec: none in one that does not run, none in one that is paused", async (api) => {
    await create(api, sleeping, "made");
    await start(api, sleeping, "c1");
    await api.ask("POST", "/containers/c1/pause");
    const codes = [];
    for (const name of ["made", "c1"])
      codes.push(await statusOf(api, "POST", `/containers/${name}/exec`, { Cmd: ["true"] }));
    await api.ask("POST", "/containers/c1/unpause");
    expect(codes).toEqual([409, 409]);
    return codes;
  }),
];

const logCases: readonly Case[] = (
  [
    ["both streams", "stdout=1&stderr=1"],
    ["standard output alone", "stdout=1"],
    ["standard error alone", "stderr=1"],
    ["the last line", "stdout=1&stderr=1&tail=1"],
    ["no line", "stdout=1&stderr=1&tail=0"],
    ["all by name", "stdout=1&stderr=1&tail=all"],
    ["none before its beginning", "stdout=1&until=1"],
    ["all since 1970", "stdout=1&since=1"],
    ["to the end when followed", "stdout=1&stderr=1&follow=1"],
  ] as const
).map(([what, query]) =>
  one(`logs: ${what}`, async (api) => {
    await start(api, { Cmd: ["sh", "-c", "echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three"] }, "c1");
    await api.ask("POST", "/containers/c1/wait");
    const response = await fetch(`http://e/v1.51/containers/c1/logs?${query}`, { unix: api.socket } as RequestInit);
    return { type: response.headers.get("content-type"), text: plain(Buffer.from(await response.arrayBuffer())) };
  }),
);

const streamCases: readonly Case[] = [
  one("logs: times in front of each line", async (api) => {
    await start(api, { Cmd: ["echo", "x"] }, "c1");
    await api.ask("POST", "/containers/c1/wait");
    const { out } = await api.cli(["logs", "-t", "c1"]);
    expect(out).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x\n$/);
    return "stamped";
  }),
  one("attach: input, both outputs and the end", async (api) => {
    const run = await api.cli(["run", "-i", "--rm", "busybox", "sh", "-c", "cat; echo err >&2; exit 3"], "typed\n");
    expect(run).toEqual({ code: 3, out: "typed\n", err: "err\n" });
    return run;
  }),
  one("attach: a WebSocket carries output", async (api) => {
    const id = await create(api, { Cmd: ["sh", "-c", "sleep 0.3; echo heard"] });
    const socket = new WebSocket(`ws+unix://${api.socket}:/v1.51/containers/${id}/attach/ws?stream=1&stdout=1`);
    socket.binaryType = "arraybuffer";
    let text = "";
    const over = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        text += typeof data === "string" ? data : Buffer.from(data as ArrayBuffer).toString();
      };
      socket.onclose = () => resolve();
      socket.onerror = () => resolve();
    });
    await new Promise((resolve) => (socket.onopen = resolve));
    await api.ask("POST", `/containers/${id}/start`);
    await over;
    expect(text).toBe("heard\n");
    return text;
  }),
];

type Summary = { RepoTags: string[]; Containers: number; SharedSize: number };
const imageCases: readonly Case[] = [
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

type Volume = { Name: string; Driver: string; Labels: object | null; Options: object | null; Scope: string };
const volumeCases: readonly Case[] = [
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

type Network = { Name: string; Driver: string; Internal: boolean; Labels: object; Containers: object };
const networkCases: readonly Case[] = [
  one("networks: those that are always there", async (api) => {
    const names = (await json<Network[]>(api, "/networks")).map(({ Name, Driver }) => `${Name} ${Driver}`).sort();
    expect(names).toEqual(["bridge bridge", "host host", "none null"]);
    return names;
  }),
  one("networks: create, inspect and remove", async (api) => {
    const { status } = await api.ask("POST", "/networks/create", { Name: "n", Internal: true, Labels: { a: "b" } });
    const { Name, Driver, Internal, Labels } = await json<Network>(api, "/networks/n");
    return { status, Name, Driver, Internal, Labels, removed: await statusOf(api, "DELETE", "/networks/n") };
  }),
  one("networks: a name twice is a conflict", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    return statusOf(api, "POST", "/networks/create", { Name: "n" });
  }),
  one("networks: containers know each other by name and alias", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    const NetworkingConfig = { EndpointsConfig: { n: { Aliases: ["other"] } } };
    await start(api, { ...sleeping, HostConfig: { NetworkMode: "n" }, NetworkingConfig }, "server");
    const { code } = await ran(api, "ping -c1 -w2 server && ping -c1 -w2 other", { HostConfig: { NetworkMode: "n" } });
    expect(code).toBe(0);
    return code;
  }),
  one("networks: connect and disconnect while it runs, and one in use stays", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    await start(api, sleeping, "c1");
    const codes = [await statusOf(api, "POST", "/networks/n/connect", { Container: "c1" })];
    codes.push(await statusOf(api, "DELETE", "/networks/n"));
    codes.push(await statusOf(api, "POST", "/networks/n/disconnect", { Container: "c1" }));
    codes.push(await statusOf(api, "DELETE", "/networks/n"));
    return codes;
  }),
  one("networks: prune takes those nobody uses", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    const { body } = await api.ask("POST", "/networks/prune");
    expect(body).toEqual({ NetworksDeleted: ["n"] });
    return body;
  }),
];

const systemCases: readonly Case[] = [
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

export const otherCases: readonly Case[] = [
  ...[...execCases, ...moreExec, ...logCases, ...streamCases],
  ...[...imageCases, ...volumeCases, ...networkCases, ...systemCases],
];
