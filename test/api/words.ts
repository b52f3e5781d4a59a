import { expect } from "bun:test";
import type Docker from "dockerode";
import type { Answer, Api, Case } from "./contract.ts";

/** An answer by its status and by whether it is an error in Docker's form. */
export function shown({ status, body }: Answer): object {
  const message = (body as { message?: unknown } | null)?.message;
  return { status, ...(status >= 400 ? { message: typeof message } : {}) };
}

export async function statusOf(api: Api, method: string, path: string, body?: unknown): Promise<number> {
  return (await api.ask(method, path, body)).status;
}

export async function json<T>(api: Api, path: string): Promise<T> {
  const { status, body } = await api.ask("GET", path);
  expect(status).toBe(200);
  return body as T;
}

/** Creates a container of the test image; its id. */
export async function create(api: Api, more: object = {}, name?: string): Promise<string> {
  const query = name === undefined ? "" : `?name=${name}`;
  const { status, body } = await api.ask("POST", `/containers/create${query}`, { Image: "busybox", ...more });
  if (status !== 201) throw new Error(`create answers ${status}: ${JSON.stringify(body)}`);
  return (body as { Id: string }).Id;
}

export async function start(api: Api, more: object = {}, name?: string): Promise<string> {
  const id = await create(api, more, name);
  const { status, body } = await api.ask("POST", `/containers/${id}/start`);
  if (status !== 204) throw new Error(`start answers ${status}: ${JSON.stringify(body)}`);
  return id;
}

export const sleeping = { Cmd: ["sleep", "1000"], StopSignal: "SIGKILL" } as const;

/** Runs to its end; what it wrote and its exit code. */
export async function ran(api: Api, script: string, more: object = {}): Promise<{ out: string; code: number }> {
  const id = await create(api, { Cmd: ["sh", "-c", script], ...more });
  const container = api.docker.getContainer(id);
  await container.start();
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  const out = plain((await container.logs({ stdout: true, stderr: true })) as unknown as Buffer);
  await container.remove({ v: true });
  return { out, code: StatusCode };
}

/** The bytes of a multiplexed stream without its frames. */
export function plain(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    text += bytes.subarray(at + 8, at + 8 + size).toString("utf8");
    at += 8 + size;
  }
  return text;
}

export function filters(wanted: Readonly<Record<string, readonly string[]>>): string {
  return `filters=${encodeURIComponent(JSON.stringify(wanted))}`;
}

/** Everything of a stream until its end. */
export async function whole(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}

export type Inspected = Docker.ContainerInspectInfo;

export const one = (name: string, run: Case["run"]): Case => ({ name, run });
