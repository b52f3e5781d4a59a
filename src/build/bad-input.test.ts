import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "./testing/failure.ts";
import { openBuildScene } from "./testing/scene.ts";

// Rows of the list of bad inputs: each ends in an error that says what is wrong, and the builder goes on.
const rows: readonly (readonly [string, string, string])[] = [
  ["an empty file", "", "it is empty"],
  ["FROM without an image", "FROM\n", "FROM needs an image"],
  ["FROM of an empty ARG", "ARG X=\nFROM $X\n", "is empty once its variables are filled in"],
  ["a platform that is none", "FROM --platform=nowhere/at/all/really busybox\n", "is no platform"],
  ["an image name that is none", "FROM UPPER/Case\n", "lower case"],
  ["a stage that copies from itself", "FROM busybox AS a\nCOPY --from=a /x /x\n", "stage a cannot use itself"],
  ["a stage that copies from a later one", "FROM busybox\nCOPY --from=b /x /x\nFROM busybox AS b\n", "nothing"],
  ["a stage number that is not there", "FROM busybox\nCOPY --from=7 /x /x\n", "stage 7 is not before this one"],
  ["a time that is none", "FROM busybox\nRUN true\n", "SOURCE_DATE_EPOCH"],
  ["an ARG that doubles itself", `FROM busybox\nARG A=xxxxxxxxxxxxxxxx\n${"ARG A=$A$A\n".repeat(40)}`, "too long"],
  ["an unknown user", "FROM busybox\nUSER nobody-here\nRUN true\n", "no such user"],
  ["a program that is not there", 'FROM busybox\nRUN ["/no/such/program"]\n', "/no/such/program"],
];

for (const [what, text, because] of rows) {
  test(`${what} is refused with words`, async () => {
    await using scene = await openBuildScene();
    await scene.plantBusybox();
    const buildArgs = what.startsWith("a time") ? { SOURCE_DATE_EPOCH: "yesterday" } : {};
    const target = what.includes("later") ? { target: "0" } : {};
    const error = await failure(scene.build(text, {}, { buildArgs, ...target }));
    expect(["invalid", "not-found"]).toContain(error.kind);
    if (because !== "nothing") expect(error.message).toContain(because);
    expect(error.message.length).toBeLessThan(2000);
    expect((await scene.build("FROM busybox\n")).layers).toHaveLength(1);
  });
}

test("10,000 stages of which the last needs one, and a line of 10 MB", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const many = Array.from({ length: 10_000 }, (_, index) => `FROM busybox AS s${index}\n`).join("");
  expect((await scene.build(many)).steps).toBe(1);
  const long = await scene.build(`FROM busybox\nLABEL long=${"x".repeat(1_000_000)}\n`);
  expect(long.config.config?.Labels?.long).toHaveLength(1_000_000);
  const error = await failure(scene.build(`FROM busybox\nRUN : ${"x".repeat(10_000_000)}\n`));
  expect(error.message.length).toBeLessThan(2000);
}, 20_000);

// GHSA-32pv-7hq5-qhwq: a file operation with an empty or "/" path must not empty another folder.
test("COPY of nothing, to nothing and over the root removes no file of machine or image", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const canary = join(scene.folder, "canary");
  mkdirSync(canary);
  writeFileSync(join(canary, "file"), "here");
  for (const text of [
    'COPY ["", "/"]',
    'COPY ["", ""]',
    "COPY . /",
    'COPY ["/", "/"]',
    'ADD ["a", ""]',
    'WORKDIR ""',
  ]) {
    const built = await scene.build(`FROM busybox\n${text}\nRUN test -x /bin/busybox && test -f /etc/passwd\n`, {
      a: "a",
    });
    expect(built.layers.length).toBeGreaterThan(0);
  }
  expect(await Bun.file(join(canary, "file")).text()).toBe("here");
});
