import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { create, one, plain, start } from "../words.ts";

const baseLogCases: readonly Case[] = (
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

export const logCases: readonly Case[] = [...baseLogCases, ...streamCases];
