import { expect } from "bun:test";
import type { Api, Case } from "../contract.ts";
import { create, json, one, plain, sleeping, start, statusOf, whole } from "../words.ts";

async function exec(api: Api, options: object): Promise<{ out: string; code: number | null }> {
  const run = await api.docker.getContainer("c1").exec({ AttachStdout: true, AttachStderr: true, ...options });
  // A program that cannot be started is refused by the one, and told on the stream by the other.
  const stream = await run.start({}).catch(() => undefined);
  const bytes = stream === undefined ? Buffer.alloc(0) : await whole(stream);
  const { ExitCode } = await run.inspect();
  return { out: plain(bytes), code: ExitCode };
}

const baseExecCases: readonly Case[] = (
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
    return what.startsWith("a program") ? { code } : { out: out.split("\n").sort(), code };
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

export const execCases: readonly Case[] = [...baseExecCases, ...moreExec];
