import { expect, test } from "bun:test";
import { commandLine, mergeEnv, withImageDefaults } from "./image-defaults.ts";

const image = {
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  Env: ["A=1", "B=2"],
  User: "app",
  WorkingDir: "/srv",
  Labels: { a: "image", b: "image" },
};
const line = (asked: Parameters<typeof withImageDefaults>[0]) => commandLine(withImageDefaults(asked, image));

test("a command replaces the image's, its entrypoint stays", () => {
  expect(line({})).toEqual(["/entry", "serve"]);
  expect(line({ Cmd: ["ls"] })).toEqual(["/entry", "ls"]);
  expect(line({ Cmd: "ls -l" })).toEqual(["/entry", "ls -l"]);
});

test("an entrypoint takes the image's command away; an empty one leaves only the asked command", () => {
  expect(line({ Entrypoint: ["sh"] })).toEqual(["sh"]);
  expect(line({ Entrypoint: [""], Cmd: ["ls"] })).toEqual(["ls"]);
  expect(line({ Entrypoint: null, Cmd: null })).toEqual(["/entry", "serve"]);
});

test("with nothing to run the refusal says what to name", () => {
  expect(() => line({ Entrypoint: [""] })).toThrow("no command specified");
  expect(() => withImageDefaults({}, {})).toThrow("Name a command after the image");
});

test("variables merge by name and keep the image's order; a bare name takes one away", () => {
  expect(mergeEnv(["A=1", "B=2"], ["B=x=y", "C=3"])).toEqual(["A=1", "B=x=y", "C=3"]);
  expect(mergeEnv(["A=1", "B=2"], ["A"])).toEqual(["B=2"]);
  expect(mergeEnv(["A=1"], ["A="])).toEqual(["A="]);
});

test("user, folder and labels are the asked ones where there are any", () => {
  expect(withImageDefaults({ User: "", Labels: { b: "own" } }, image)).toMatchObject({
    User: "app",
    WorkingDir: "/srv",
    Labels: { a: "image", b: "own" },
  });
  expect(withImageDefaults({ User: "0", WorkingDir: "/x" }, image)).toMatchObject({ User: "0", WorkingDir: "/x" });
});
