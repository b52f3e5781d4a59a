import { expect, test } from "bun:test";
import type { Terminal } from "../contract.ts";
import { LiveBuildView, PlainBuildView } from "./build-view.ts";

function recorder(isTerminal: boolean): Terminal & { text: string } {
  return {
    isTerminal,
    colour: false,
    columns: 60,
    text: "",
    write(text) {
      this.text += String(text);
    },
  };
}

test("a plain build is one line for each thing, logs cut into lines, the last part kept", () => {
  const out = recorder(false);
  const view = new PlainBuildView(out, false);
  view.event({ type: "step", step: 1, of: 2, text: "RUN make" });
  view.event({ type: "log", step: 1, text: "one\ntw" });
  view.event({ type: "log", step: 1, text: "o\nlast" });
  view.event({ type: "normalised", step: 1, rule: "logs", paths: ["/var/log/x"] });
  view.event({ type: "done", step: 1, milliseconds: 1234 });
  view.event({ type: "step", step: 2, of: 2, text: "CMD x" });
  view.event({ type: "cached", step: 2 });
  view.finish();
  expect(out.text.split("\n")).toEqual([
    "#1 [1/2] RUN make",
    "#1 one",
    "#1 two",
    "#1 last",
    "#1 DONE 1.2s",
    "#2 [2/2] CMD x",
    "#2 CACHED",
    "",
  ]);
});

test("what was normalised is said when it is asked for", () => {
  const out = recorder(false);
  new PlainBuildView(out, true).event({ type: "normalised", step: 1, rule: "logs", paths: ["/a", "/b"] });
  expect(out.text).toBe("#1 normalised (logs): /a, /b\n");
});

test("a live build leaves its finished steps and ends its drawing", () => {
  const out = recorder(true);
  const view = new LiveBuildView(out);
  view.event({ type: "step", step: 1, of: 1, text: "RUN make" });
  view.event({ type: "log", step: 1, text: "working\n" });
  view.event({ type: "done", step: 1, milliseconds: 100 });
  view.finish();
  expect(Bun.stripANSI(out.text)).toContain("✓ [1/1] RUN make 0.1s");
});
