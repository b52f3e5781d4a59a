import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, filters, type Inspected, json, ran, sleeping, start, statusOf } from "../words.ts";

type Listed = { Names: string[]; State: string; Image: string; Command: string; Labels: object; Mounts: object[] }[];

export const containerInsideCases: readonly Case[] = [
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
