import { expect, test } from "bun:test";
import { systemClock } from "#base/core/clock.ts";
import { parseDockerfile } from "#formats/dockerfile/parse.ts";
import { StatusLog, type StatusMessage } from "./status-log.ts";
import { BuildSteps } from "./steps.ts";

const dockerfile = "FROM a AS one\nENV X=1\nRUN x\nFROM one\nWORKDIR /w\nCMD y\n";

async function told(work: (steps: BuildSteps) => void): Promise<StatusMessage[]> {
  const log = new StatusLog();
  const steps = new BuildSteps(log, "ref", systemClock);
  steps.begin(parseDockerfile(Buffer.from(dockerfile), "Dockerfile"), []);
  work(steps);
  log.end();
  const messages: StatusMessage[] = [];
  for await (const message of log.read(new AbortController().signal)) messages.push(message);
  return messages;
}

function step(steps: BuildSteps, step: number, stage: string, text: string, ...more: ("cached" | "done")[]): void {
  steps.event({ type: "step", step, of: 6, stage, text, line: step });
  for (const type of more) {
    if (type === "cached") steps.event({ type, step });
    else steps.event({ type, step, milliseconds: 1 });
  }
}

test("steps that make files are numbered in their stage, others are not shown", async () => {
  const messages = await told((steps) => {
    step(steps, 1, "one", "FROM a AS one", "done");
    step(steps, 2, "one", "ENV X=1", "done");
    step(steps, 3, "one", "RUN x", "cached", "done");
    step(steps, 4, "stage-1", "FROM one", "done");
    step(steps, 5, "stage-1", "WORKDIR /w", "done");
  });
  const ended = messages.flatMap(({ vertexes = [] }) => vertexes).filter(({ completed }) => completed !== undefined);
  expect(ended.map(({ name, cached = false }) => [name, cached])).toEqual([
    ["[one 1/2] FROM a AS one", false],
    ["[one 2/2] RUN x", true],
    ["[stage-1 1/2] FROM one", false],
    ["[stage-1 2/2] WORKDIR /w", false],
  ]);
  expect(new Set(ended.map(({ digest }) => digest)).size).toBe(4);
});

test("a step's output and warnings are its own, and the error ends it", async () => {
  const messages = await told((steps) => {
    step(steps, 1, "one", "FROM a AS one", "done");
    step(steps, 3, "one", "RUN x");
    steps.event({ type: "log", step: 3, stream: "stderr", bytes: Buffer.from("out") });
    steps.event({ type: "warning", text: "careful" });
    steps.fail(new Error("broken"));
  });
  const run = messages.flatMap(({ vertexes = [] }) => vertexes).at(-1)!;
  expect(run).toMatchObject({ name: "[one 2/2] RUN x", error: "broken" });
  const log = messages.flatMap(({ logs = [] }) => logs)[0]!;
  expect([log.vertex, log.stream, Buffer.from(log.msg!).toString()]).toEqual([run.digest, 2n, "out"]);
  expect(messages.flatMap(({ warnings = [] }) => warnings)[0]!.vertex).toBe(run.digest);
});

test("work around the Dockerfile is one vertex that ends with the work, also when it fails", async () => {
  const log = new StatusLog();
  const steps = new BuildSteps(log, "ref", systemClock);
  const looked = steps.inside("[internal] look", async (tell) => {
    tell("bytes", 5);
    return 42;
  });
  expect(await looked).toBe(42);
  const failing = steps.inside("[internal] fail", () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  log.end();
  const seen: string[] = [];
  for await (const { vertexes = [], statuses = [] } of log.read(new AbortController().signal)) {
    for (const { name, completed, error } of vertexes)
      seen.push(`${name} ${completed === undefined ? "on" : `over ${error ?? ""}`}`);
    for (const { id, current, completed } of statuses)
      seen.push(`${id} ${current} ${completed === undefined ? "on" : "over"}`);
  }
  expect(seen).toEqual([
    "[internal] look on",
    "bytes 5 on",
    "bytes 5 over",
    "[internal] look over ",
    "[internal] fail on",
    "[internal] fail over no",
  ]);
});
