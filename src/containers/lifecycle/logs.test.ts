import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogOptions } from "./contract.ts";
import { type LogPlace, segmentNumbers } from "./log-files.ts";
import { nameFiles } from "./log-naming.ts";
import { LogRotation } from "./log-rotation.ts";
import { readLog } from "./logs.ts";

let folder: string;
let place: LogPlace;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-log-"));
  place = { log: join(folder, "log"), nextLog: join(folder, "log.tmp"), segments: join(folder, "segments") };
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = Date.UTC(2026, 0, 1);
/** One line a second. */
const stamp = (at: number, offset = "+00:00") =>
  `${new Date(start + at * 1000).toISOString().slice(0, 23)}000000${offset}`;
const record = (at: number, text: string, tag = "F", stream = "stdout") => `${stamp(at)} ${stream} ${tag} ${text}\n`;
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_none, at) => record(from + at, `line ${from + at}`)).join("");

/** As conmon turns: the next file takes the name of the one before. */
function turn(): void {
  appendFileSync(place.nextLog, "");
  renameSync(place.nextLog, place.log);
}

/** What the Worker and the engine do when they hear of it. */
function settle(rotation: LogRotation): void {
  nameFiles(place);
  rotation.turned();
}

async function read(options: LogOptions = {}, rotation?: LogRotation): Promise<string> {
  const source = { place, rotation, sizeMax: 1_000_000, untilEnd: () => undefined };
  const seen: Uint8Array[] = [];
  for await (const lines of readLog(source, options)) for (const { bytes } of lines) seen.push(bytes);
  return Buffer.concat(seen).toString();
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_none, at) => `line ${from + at}\n`).join("");

/** 5 files of 1000 lines each, 4 of them full. */
function fiveFiles(): LogRotation {
  const rotation = new LogRotation(place, 5);
  rotation.prepare(1_000_000);
  for (let file = 0; file < 5; file += 1) {
    if (file > 0) turn();
    settle(rotation);
    appendFileSync(place.log, records(file * 1000, file * 1000 + 1000));
  }
  return rotation;
}

test("a log of several files reads as one, from its beginning and from its end", async () => {
  fiveFiles();
  expect(await read()).toBe(lines(0, 5000));
  for (const tail of [0, 1, 999, 1000, 1001, 4999, 5000, 9000]) {
    expect(await read({ tail })).toBe(lines(Math.max(0, 5000 - tail), 5000));
  }
});

test("since and until find their lines in any file, to the nanosecond as written and at any offset from UTC", async () => {
  fiveFiles();
  for (const at of [0, 1, 500, 999, 1000, 2500, 4999, 5000]) {
    expect(await read({ since: start + at * 1000 })).toBe(lines(at, 5000));
    expect(await read({ until: start + at * 1000 })).toBe(lines(0, Math.min(5000, at + 1)));
  }
  expect(await read({ since: start + 1000.001, until: start + 2999.999 })).toBe(lines(2, 3));
  expect(await read({ since: start + 4_990_000, tail: 3 })).toBe(lines(4997, 5000));
  expect(await read({ since: start + 4_998_000, tail: 30 })).toBe(lines(4998, 5000));
  rmSync(place.segments, { recursive: true });
  // Written in Berlin: eleven o'clock there is ten in UTC.
  writeFileSync(place.log, `${stamp(0, "+01:00")} stdout F hour\n`);
  expect(await read({ since: start - 3_600_000 })).toBe("hour\n");
  expect(await read({ since: start - 3_599_999 })).toBe("");
});

test("a line that a turn cuts in two is one line, for the tail too", async () => {
  const rotation = new LogRotation(place, 3);
  rotation.prepare(1_000_000);
  writeFileSync(place.log, record(0, "first") + record(1, "be", "P"));
  turn();
  settle(rotation);
  appendFileSync(place.log, record(2, "gin") + record(3, "no end", "P"));
  expect(await read()).toBe("first\nbegin\nno end");
  expect(await read({ tail: 2 })).toBe("begin\nno end");
  expect(await read({ tail: 3, stderr: false })).toBe("first\nbegin\nno end");
  expect(await read({ stdout: false })).toBe("");
});

test("as many files are kept as were asked for, and turns nobody saw cost only what was in between", async () => {
  const rotation = new LogRotation(place, 3);
  rotation.prepare(1_000_000);
  for (let file = 0; file < 10; file += 1) {
    appendFileSync(place.log, records(file, file + 1));
    turn();
    settle(rotation);
  }
  expect(await read()).toBe(lines(8, 10));
  // The engine is away: the file made ahead is kept, those that conmon makes itself follow each other.
  for (let file = 10; file < 14; file += 1) {
    appendFileSync(place.log, records(file, file + 1));
    turn();
  }
  appendFileSync(place.log, records(14, 15));
  expect(await read()).toBe(lines(8, 12) + lines(14, 15));
  settle(new LogRotation(place, 3));
  expect(await read()).toBe(lines(10, 12) + lines(14, 15));
});

test("an engine killed at any step of a turn goes on from there", async () => {
  const rotation = new LogRotation(place, 3);
  rotation.prepare(1_000_000);
  writeFileSync(place.log, records(0, 1));
  // Killed between the two names of the file made ahead.
  rmSync(join(place.segments, "3"));
  settle(rotation);
  turn();
  settle(rotation);
  appendFileSync(place.log, records(1, 2));
  expect(await read()).toBe(lines(0, 2));
  // Killed before a start gave the log its names.
  rmSync(place.segments, { recursive: true });
  mkdirSync(place.segments);
  rotation.prepare(1_000_000);
  appendFileSync(place.log, records(2, 3));
  expect(await read()).toBe(lines(1, 3));
  expect(segmentNumbers(place)).toEqual([1, 3]);
});

test("a start leaves a file that is half full already, because conmon counts from nothing", async () => {
  const rotation = new LogRotation(place, 2);
  rotation.prepare(100);
  appendFileSync(place.log, records(0, 1));
  rotation.prepare(100);
  expect(await read()).toBe(lines(0, 1));
  appendFileSync(place.log, records(1, 2));
  expect(await read()).toBe(lines(0, 2));
  rotation.prepare(100);
  appendFileSync(place.log, records(2, 3));
  expect(await read()).toBe(lines(1, 3));
});

test("what is no record is passed over, and a log without a folder is empty", async () => {
  writeFileSync(place.log, `rest of a line\n${record(0, "good")}2026 stdout\n\n${record(1, "bad", "X")}half a rec`);
  expect(await read()).toBe("good\n");
  linkSync(place.log, join(folder, "other"));
  rmSync(place.log);
  expect(await read({ tail: 5, since: 1 })).toBe("");
});

test("over 300,000 lines a second are read, the last 100,000 at once", async () => {
  const block = records(0, 20_000);
  for (let i = 0; i < 30; i += 1) appendFileSync(place.log, block);
  const rate = async (options: LogOptions) => {
    const source = { place, rotation: undefined, sizeMax: 1, untilEnd: () => undefined };
    const begun = performance.now();
    let count = 0;
    for await (const some of readLog(source, options)) count += some.length;
    return { count, perSecond: (count / (performance.now() - begun)) * 1000, ms: performance.now() - begun };
  };
  const best = Math.max((await rate({})).perSecond, (await rate({})).perSecond);
  expect(best).toBeGreaterThan(300_000);
  const tail = await rate({ tail: 100_000 });
  expect(tail.count).toBe(100_000);
  expect(tail.ms).toBeLessThan(500);
});
