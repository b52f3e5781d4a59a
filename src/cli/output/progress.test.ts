import { expect, test } from "bun:test";
import type { Terminal } from "../contract.ts";
import { bar, ProgressView } from "./progress.ts";

function recorder(isTerminal: boolean): Terminal & { text: string } {
  return {
    isTerminal,
    colour: false,
    columns: 40,
    text: "",
    write(text) {
      this.text += String(text);
    },
  };
}

test("elsewhere than on a terminal each change of status is one line, without escapes", () => {
  const out = recorder(false);
  const view = new ProgressView(out);
  view.show({ status: "Pulling from a" });
  for (const current of [1, 2, 3]) {
    view.show({ id: "l1", status: "Downloading", progressDetail: { current, total: 3 }, progress: `${current}B/3B` });
  }
  view.show({ id: "l1", status: "Pull complete", progressDetail: {} });
  view.finish();
  expect(out.text).toBe("Pulling from a\nl1: Downloading\nl1: Pull complete\n");
});

test("on a terminal rows are redrawn in place, never wider than it, and stay at the end", () => {
  const out = recorder(true);
  const view = new ProgressView(out);
  view.show({ id: "l1", status: "Downloading", progressDetail: { current: 1, total: 2 }, progress: "1B/2B" });
  view.show({ id: "l2", status: "Waiting", progressDetail: {} });
  view.finish();
  expect(out.text).toContain("\x1b[1A\x1b[J");
  const lines = Bun.stripANSI(out.text).trimEnd().split("\n");
  expect(lines.slice(-2).map((line) => line.slice(0, 3))).toEqual(["l1:", "l2:"]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
});

test("a bar is always as wide, and a layer of no bytes breaks nothing", () => {
  expect(bar(0)).toBe(`[${" ".repeat(28)}]`);
  expect(bar(1)).toBe(`[${"=".repeat(27)}>]`);
  expect(new Set([-1, 0, 0.01, 0.5, 1, 7].map((fraction) => bar(fraction).length))).toEqual(new Set([30]));
  const out = recorder(true);
  const view = new ProgressView(out);
  view.show({ id: "l1", status: "Downloading", progressDetail: { current: 0, total: 0 } });
  expect(out.text).not.toContain("NaN");
});
