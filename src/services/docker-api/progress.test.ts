import { expect, test } from "bun:test";
import { GantryError } from "#base/core/errors.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import type { Answer } from "./contract.ts";
import { humanSize, jsonLines, progressLine } from "./progress.ts";

async function collected(answer: Answer, between: () => void = () => undefined): Promise<ProgressLine[]> {
  if (!("stream" in answer)) throw new Error("no stream");
  const lines: ProgressLine[] = [];
  await answer.stream({
    async write(chunk) {
      await Promise.resolve();
      lines.push(JSON.parse(String(chunk)) as ProgressLine);
      between();
    },
  });
  return lines;
}

test("work that fails before its first line rejects, so that the status code can say so", async () => {
  const failing = jsonLines(async () => {
    throw new GantryError("not-found", { doing: "pull", because: "there is none" });
  });
  await expect(failing).rejects.toThrow("there is none");
});

test("an error after the first line is the last line", async () => {
  const answer = await jsonLines(async (send) => {
    send({ status: "one" });
    await Promise.resolve();
    throw new GantryError("corrupt", { doing: "pull", because: "the digest differs" });
  });
  const lines = await collected(answer);
  expect(lines[0]).toEqual({ status: "one" });
  expect(lines[1]?.error).toContain("the digest differs");
  expect(lines[1]?.errorDetail).toEqual({ message: lines[1]!.error! });
});

test("a line sent while the first ones are written is neither lost nor out of order", async () => {
  const finish = Promise.withResolvers<void>();
  let tell: (line: ProgressLine) => void = () => undefined;
  const answer = await jsonLines(async (send) => {
    tell = send;
    send({ status: "1" });
    send({ status: "2" });
    await finish.promise;
  });
  let told = 2;
  const lines = await collected(answer, () => {
    if (told === 6) finish.resolve();
    else {
      told += 1;
      tell({ status: `${told}` });
    }
  });
  expect(lines.map((line) => line.status)).toEqual(["1", "2", "3", "4", "5", "6"]);
});

test("sizes and progress lines are Docker's", () => {
  expect([0, 999, 1000, 12_345_678].map(humanSize)).toEqual(["0B", "999B", "1kB", "12.35MB"]);
  expect(progressLine({ status: "Waiting", id: "abc" })).toEqual({ status: "Waiting", id: "abc", progressDetail: {} });
  expect(progressLine({ status: "Downloading", id: "abc", current: 1000, total: 2000 })).toEqual({
    status: "Downloading",
    id: "abc",
    progress: "1kB/2kB",
    progressDetail: { current: 1000, total: 2000 },
  });
});
