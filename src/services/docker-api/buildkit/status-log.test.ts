import { expect, test } from "bun:test";
import { StatusLog } from "./status-log.ts";

const said = (text: string) => ({ logs: [{ vertex: "v", msg: Buffer.from(text) }] });
const step = (name: string) => ({ vertexes: [{ name }] });

async function wholeOf(log: StatusLog): Promise<string[]> {
  const seen: string[] = [];
  for await (const { logs = [], vertexes = [] } of log.read(new AbortController().signal)) {
    seen.push(...vertexes.map(({ name = "" }) => name), ...logs.map(({ msg }) => Buffer.from(msg ?? []).toString()));
  }
  return seen;
}

test("readers before, during and after the build get all of it", async () => {
  const log = new StatusLog();
  const early = wholeOf(log);
  log.tell(step("one"));
  log.tell(said("a"));
  const middle = wholeOf(log);
  log.tell(step("two"));
  log.end();
  const whole = ["one", "a", "two"];
  expect(await Promise.all([early, middle, wholeOf(log)])).toEqual([whole, whole, whole]);
});

test("the oldest output is forgotten beyond the bound, steps are not", async () => {
  const log = new StatusLog(10);
  log.tell(step("one"));
  for (const text of ["aaaaa", "bbbbb", "ccccc", "ddddd"]) log.tell(said(text));
  log.tell(step("two"));
  log.tell(said("eeeee"));
  log.end();
  expect(await wholeOf(log)).toEqual(["one", "ddddd", "two", "eeeee"]);
});

test("a reader that keeps up misses nothing, however much is said", async () => {
  const log = new StatusLog(10);
  const reader = log.read(new AbortController().signal);
  const seen: string[] = [];
  for (let count = 0; count < 50; count += 1) {
    log.tell(said(`line ${count}`));
    const { value } = await reader.next();
    seen.push(Buffer.from(value?.logs?.[0]?.msg ?? []).toString());
  }
  expect(seen).toEqual(Array.from({ length: 50 }, (_, count) => `line ${count}`));
});

test("a reader that gives up ends", async () => {
  const leaving = new AbortController();
  const next = new StatusLog().read(leaving.signal).next();
  leaving.abort();
  expect((await next).done).toBe(true);
});
