import { expect, test } from "bun:test";
import { StatusLog } from "./status-log.ts";
import { Vertex } from "./vertices.ts";

test("progress is told at once, then ten times a second, and its end always", async () => {
  const log = new StatusLog();
  let now = 1000;
  const vertex = new Vertex(log, "ref", 1, "copying", () => now);
  for (let bytes = 1; bytes <= 250; bytes += 1) {
    vertex.progress("files", bytes);
    now += 1;
  }
  vertex.progress("files", 250, 0, true);
  vertex.progress("others", 7);
  log.end();
  const seen: string[] = [];
  for await (const { statuses = [] } of log.read(new AbortController().signal)) {
    for (const { id, current, completed } of statuses)
      seen.push(`${id} ${current}${completed === undefined ? "" : " done"}`);
  }
  expect(seen).toEqual(["files 1", "files 101", "files 201", "files 250 done", "others 7"]);
});
