import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, type Inspected, json, ran, sleeping, start, statusOf } from "../words.ts";

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
];
