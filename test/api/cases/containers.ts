import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, filters, type Inspected, json, ran, sleeping, start, statusOf } from "../words.ts";

type Listed = { Names: string[]; State: string; Image: string; Command: string; Labels: object; Mounts: object[] }[];

export const containerCases: readonly Case[] = [
  {
    name: "container: its life by status codes, from create to remove",
    run: async (api) => {
      const id = await create(api, sleeping, "life");
      const codes: number[] = [];
      const verbs = ["start", "start", "pause", "unpause", "restart?t=0", "stop?t=0", "stop", "start", "kill", "wait"];
      for (const verb of verbs) codes.push(await statusOf(api, "POST", `/containers/${id}/${verb}`));
      codes.push(await statusOf(api, "DELETE", `/containers/${id}`));
      expect(codes).toEqual([204, 304, 204, 204, 204, 204, 304, 204, 204, 200, 204]);
      return codes;
    },
  },
  {
    name: "container: states of one that was made, runs, is paused and has ended",
    run: async (api) => {
      const id = await create(api, sleeping, "states");
      const state = async () => {
        const { Status, Running, Paused, Restarting, Dead, ExitCode } = (
          await json<Inspected>(api, "/containers/states/json")
        ).State;
        return { Status, Running, Paused, Restarting, Dead, ExitCode };
      };
      const seen = [await state()];
      for (const verb of ["start", "pause", "unpause", "kill"]) {
        await api.ask("POST", `/containers/${id}/${verb}`);
        if (verb === "kill") await api.ask("POST", `/containers/${id}/wait`);
        seen.push(await state());
      }
      expect(seen.map(({ Status }) => Status)).toEqual(["created", "running", "paused", "running", "exited"]);
      return seen;
    },
  },
  {
    name: "container: exit codes come through, from a program and from a signal",
    run: async (api) => {
      const codes = [(await ran(api, "exit 7")).code, (await ran(api, "sh -c 'kill -9 $$'; exit $?")).code];
      expect(codes).toEqual([7, 137]);
      return codes;
    },
  },
  {
    name: "container: a program that is not there is refused at start, and shows in the state",
    run: async (api) => {
      const id = await create(api, { Cmd: ["no-such-program"] });
      const status = await statusOf(api, "POST", `/containers/${id}/start`);
      const { State } = await json<Inspected>(api, `/containers/${id}/json`);
      expect(State.ExitCode).toBe(127);
      return { status, code: State.ExitCode, state: State.Status, error: State.Error !== "" };
    },
  },
  {
    name: "container: environment, working folder, user and host name",
    run: async (api) => {
      const more = { Env: ["A=1", "B=two words"], WorkingDir: "/made/here", User: "1000:50", Hostname: "box" };
      const { out } = await ran(api, 'echo "$A $B $HOME $PATH"; pwd; id -u; id -g; hostname', more);
      expect(out).toStartWith("1 two words");
      return out;
    },
  },
  {
    name: "container: the fields of inspect that clients read",
    run: async (api) => {
      const id = await create(api, { Cmd: ["echo", "x"], Labels: { a: "b" }, Env: ["A=1"], Tty: true }, "seen");
      const found = await json<Inspected>(api, `/containers/${id}/json`);
      const { Path, Args, Name, Driver, Platform, RestartCount, Config, HostConfig, Mounts } = found;
      const { Env, Labels, Tty, Cmd, Entrypoint, User, WorkingDir, Image } = Config;
      const { NetworkMode, AutoRemove, RestartPolicy, LogConfig } = HostConfig;
      expect(Name).toBe("/seen");
      return {
        ...{ Path, Args, Name, Driver, Platform, RestartCount, Mounts },
        ...{ Env, Labels, Tty, Cmd, Entrypoint, User, WorkingDir, Image },
        ...{ NetworkMode, AutoRemove, RestartPolicy, LogConfig },
      };
    },
  },
  {
    name: "container: every field of Docker's inspect is in the answer",
    run: async (api) => {
      const id = await start(api, sleeping);
      const found = await json<Record<string, object>>(api, `/containers/${id}/json`);
      return {
        top: Object.keys(found).sort(),
        state: Object.keys(found.State!).sort(),
        config: Object.keys(found.Config!).sort(),
      };
    },
  },
  {
    name: "container: the host config comes back with every field of Docker's",
    run: async (api) => {
      const id = await create(api, { ...sleeping, HostConfig: { Memory: 67108864, NanoCpus: 500000000 } });
      const { HostConfig } = await json<{ HostConfig: object }>(api, `/containers/${id}/json`);
      return Object.keys(HostConfig).sort();
    },
  },
  {
    name: "container: found by name, by id and by the beginning of its id",
    run: async (api) => {
      const id = await create(api, sleeping, "named");
      const found = [];
      for (const text of ["named", id, id.slice(0, 12), id.slice(0, 5)])
        found.push((await json<Inspected>(api, `/containers/${text}/json`)).Id === id);
      expect(found).toEqual([true, true, true, true]);
      return found;
    },
  },
  {
    name: "container: a list of what runs, of all, of one, and of the newest",
    run: async (api) => {
      await create(api, sleeping, "made");
      await start(api, { ...sleeping, Labels: { k: "v" } }, "runs");
      const names = async (query: string) =>
        (await json<Listed>(api, `/containers/json?${query}`)).map(({ Names }) => Names[0]).sort();
      const found = [await names(""), await names("all=1"), await names("limit=1"), await names("all=true&limit=1")];
      expect(found).toEqual([["/runs"], ["/made", "/runs"], ["/runs"], ["/runs"]]);
      return found;
    },
  },
  {
    name: "container: what a list says of each",
    run: async (api) => {
      await start(api, { ...sleeping, Labels: { k: "v" } }, "listed");
      const [one] = await json<Listed>(api, "/containers/json");
      const { Names, State, Image, Command, Labels, Mounts } = one!;
      return { Names, State, Image, Command, Labels, Mounts, fields: Object.keys(one!).sort() };
    },
  },
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
  {
    name: "container: a rename is seen at once, and the old name is free",
    run: async (api) => {
      await create(api, sleeping, "old");
      const codes = [await statusOf(api, "POST", "/containers/old/rename?name=new")];
      codes.push(
        await statusOf(api, "GET", "/containers/old/json"),
        await statusOf(api, "GET", "/containers/new/json"),
      );
      expect(codes).toEqual([204, 404, 200]);
      return codes;
    },
  },
  {
    name: "container: wait answers with the code, also for one that has ended and for one that is removed",
    run: async (api) => {
      const id = await start(api, { Cmd: ["sh", "-c", "exit 5"] });
      const first = (await api.ask("POST", `/containers/${id}/wait`)).body;
      const again = (await api.ask("POST", `/containers/${id}/wait?condition=not-running`)).body;
      expect(first).toEqual({ StatusCode: 5 });
      return [first, again];
    },
  },
  {
    name: "container: one with AutoRemove is gone after its end, its anonymous volume too",
    run: async (api) => {
      const id = await create(api, {
        Cmd: ["true"],
        Volumes: { "/anonymous": {} },
        HostConfig: { AutoRemove: true },
      });
      const removed = api.ask("POST", `/containers/${id}/wait?condition=removed`);
      await api.ask("POST", `/containers/${id}/start`);
      expect((await removed).body).toEqual({ StatusCode: 0 });
      const volumes = (await json<{ Volumes: object[] }>(api, "/volumes")).Volumes.length;
      return { gone: await statusOf(api, "GET", `/containers/${id}/json`), volumes };
    },
  },
  {
    name: "container: removal by force, and an anonymous volume that stays or goes",
    run: async (api) => {
      const count = async () => (await json<{ Volumes: object[] }>(api, "/volumes")).Volumes.length;
      const first = await start(api, { ...sleeping, Volumes: { "/v": {} } });
      const seen = [await count(), await statusOf(api, "DELETE", `/containers/${first}?force=1`), await count()];
      const second = await start(api, { ...sleeping, Volumes: { "/v": {} } });
      seen.push(await statusOf(api, "DELETE", `/containers/${second}?force=1&v=1`), await count());
      expect(seen).toEqual([1, 204, 1, 204, 1]);
      return seen;
    },
  },
  {
    name: "container: what it changed is listed by kind",
    run: async (api) => {
      const id = await start(api, { Cmd: ["sh", "-c", "echo 1 > /new; echo 2 >> /etc/passwd; rm /etc/group"] });
      await api.ask("POST", `/containers/${id}/wait`);
      const changes = await json<{ Path: string; Kind: number }[]>(api, `/containers/${id}/changes`);
      const own = changes.filter(({ Path }) => ["/new", "/etc/passwd", "/etc/group", "/etc"].includes(Path));
      return own.sort((a, b) => (a.Path < b.Path ? -1 : 1));
    },
  },
  {
    name: "container: top gives ps's titles, and those that were asked for",
    run: async (api) => {
      await start(api, sleeping, "busy");
      type Top = { Titles: string[]; Processes: string[][] };
      const usual = await json<Top>(api, "/containers/busy/top");
      const asked = await json<Top>(api, "/containers/busy/top?ps_args=-o%20pid,comm");
      expect(usual.Processes.map((row) => row.at(-1))).toEqual(["sleep 1000"]);
      expect(asked.Titles).toEqual(["PID", "COMMAND"]);
      return { titles: usual.Titles, asked: asked.Titles, comm: asked.Processes.map((row) => row[1]) };
    },
  },
  {
    name: "container: one reading of stats has every part, and one of a stopped container zeros",
    run: async (api) => {
      await start(api, sleeping, "measured");
      type Stats = Record<string, Record<string, unknown>>;
      const one = await json<Stats>(api, "/containers/measured/stats?stream=0&one-shot=1");
      await api.ask("POST", "/containers/measured/kill");
      await api.ask("POST", "/containers/measured/wait");
      const none = await json<Stats>(api, "/containers/measured/stats?stream=0&one-shot=1");
      expect(Number(one.memory_stats!.usage)).toBeGreaterThan(0);
      return {
        fields: Object.keys(one).sort(),
        cpu: Object.keys(one.cpu_stats!).sort(),
        memory: Object.keys(one.memory_stats!).sort(),
        none: Object.keys(none).sort(),
        noMemory: none.memory_stats,
        noCpu: none.cpu_stats,
      };
    },
  },
  {
    name: "container: an archive goes in and comes out, and HEAD tells what it is",
    run: async (api) => {
      await create(api, sleeping, "files");
      const out = await api.ask("GET", "/containers/files/archive?path=/etc/passwd");
      const stat = out.headers.get("x-docker-container-path-stat") ?? "";
      const { name, size, linkTarget } = JSON.parse(Buffer.from(stat, "base64").toString()) as Record<string, unknown>;
      const head = await api.ask("HEAD", "/containers/files/archive?path=/etc/passwd");
      return { status: out.status, type: out.headers.get("content-type"), name, size, linkTarget, head: head.status };
    },
  },
  {
    name: "container: its root file system is exported as a tar",
    run: async (api) => {
      await create(api, sleeping, "whole");
      const { status, headers } = await api.ask("GET", "/containers/whole/export");
      return { status, type: headers.get("content-type") };
    },
  },
  {
    name: "container: limits are written back by inspect and hold inside",
    run: async (api) => {
      const HostConfig = { Memory: 67108864, PidsLimit: 50, CpuShares: 512, NanoCpus: 500000000 };
      const id = await start(api, { ...sleeping, HostConfig });
      const found = (await json<Inspected>(api, `/containers/${id}/json`)).HostConfig as Record<string, unknown>;
      return Object.fromEntries(Object.keys(HostConfig).map((key) => [key, found[key]]));
    },
  },
  {
    name: "container: prune takes those that do not run, by label when asked",
    run: async (api) => {
      await create(api, { ...sleeping, Labels: { keep: "1" } }, "kept");
      await create(api, sleeping, "gone");
      await start(api, sleeping, "runs");
      const { body } = await api.ask("POST", `/containers/prune?${filters({ "label!": ["keep"] })}`);
      const left = (await json<Listed>(api, "/containers/json?all=1")).map(({ Names }) => Names[0]).sort();
      expect(left).toEqual(["/kept", "/runs"]);
      return { deleted: (body as { ContainersDeleted: string[] }).ContainersDeleted.length, left };
    },
  },
  {
    name: "container: namespaces of another container and of the host",
    run: async (api) => {
      await start(api, { ...sleeping, HostConfig: { IpcMode: "shareable" } }, "donor");
      const inside = (HostConfig: object) => ran(api, "ps | grep -c 'sleep 1000'; ls /dev/shm | wc -l", { HostConfig });
      await api.cli(["exec", "donor", "touch", "/dev/shm/x"]);
      const shared = await inside({ PidMode: "container:donor", IpcMode: "container:donor" });
      expect(shared.out.trim()).toEndWith("1");
      const conflict = { Image: "busybox", Hostname: "x", HostConfig: { UTSMode: "host" } };
      return {
        shared: shared.out.trim().split(/\s+/).at(-1),
        uts: await statusOf(api, "POST", "/containers/create", conflict),
      };
    },
  },
  {
    name: "container: a private ipc namespace is not joined",
    run: async (api) => {
      await start(api, sleeping, "lonely");
      const id = await api.ask("POST", "/containers/create", {
        Image: "busybox",
        HostConfig: { IpcMode: "container:lonely" },
      });
      const started =
        id.status === 201
          ? await statusOf(api, "POST", `/containers/${(id.body as { Id: string }).Id}/start`)
          : id.status;
      expect(started).toBeGreaterThanOrEqual(400);
      return "refused";
    },
  },
  {
    name: "container: volumes of another are taken over",
    run: async (api) => {
      await create(api, { ...sleeping, HostConfig: { Binds: ["shared:/s"] } }, "owner");
      const id = await create(api, { ...sleeping, HostConfig: { VolumesFrom: ["owner:ro"] } });
      const { Mounts } = await json<Inspected>(api, `/containers/${id}/json`);
      expect(Mounts.map(({ Name, RW }) => [Name, RW])).toEqual([["shared", false]]);
      return Mounts.map(({ Type, Name, Destination, Driver, RW }) => ({ Type, Name, Destination, Driver, RW }));
    },
  },
];
