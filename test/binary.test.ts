import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxTar } from "./support/busybox.ts";
import { run } from "./support/engine.ts";

test("the one-file program imports, builds, runs, and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-binary-"));
  try {
    const program = join(folder, "gantry");
    const path = process.env.PATH ?? "";
    const made = await run([process.execPath, "scripts/build-binary.ts", program], { PATH: path });
    expect(made).toMatchObject({ code: 0 });
    // Nothing of the checkout is at hand: another folder, no node_modules, no Bun on PATH.
    const env = {
      PATH: path,
      HOME: folder,
      GANTRY_DATA_ROOT: join(folder, "data"),
      GANTRY_RUN_ROOT: join(folder, "run"),
    };
    const gantry = (input: string | Uint8Array | undefined, ...words: string[]) => run([program, ...words], env, input);
    const tar = join(folder, "root.tar");
    writeFileSync(tar, await busyboxTar());
    expect(await gantry(undefined, "import", tar, "busybox")).toMatchObject({ code: 0 });
    writeFileSync(join(folder, "Dockerfile"), 'FROM busybox\nRUN echo built > /made\nCMD ["cat", "/made"]\n');
    expect(
      await gantry(undefined, "build", "-q", "-f", join(folder, "Dockerfile"), "-t", "made", join(folder, "run")),
    ).toMatchObject({ code: 0 });
    expect(await gantry("typed", "run", "-i", "--rm", "busybox", "cat")).toMatchObject({
      code: 0,
      out: "typed",
      err: "",
    });
    expect(await gantry(undefined, "run", "--rm", "made")).toMatchObject({ code: 0, out: "built\n" });
    const { out } = await gantry(undefined, "registry", "serve", "--address", "127.0.0.1:0");
    const address = /127\.0\.0\.1:\d+/.exec(out)![0];
    expect(await gantry(undefined, "tag", "made", `${address}/made:1`)).toMatchObject({ code: 0 });
    expect(await gantry(undefined, "push", `${address}/made:1`)).toMatchObject({ code: 0 });
  } finally {
    // Also after a failure: its mounts hold the folder.
    expect(
      await run([join(folder, "gantry"), "engine", "uninstall", "--data"], {
        PATH: process.env.PATH ?? "",
        GANTRY_DATA_ROOT: join(folder, "data"),
        GANTRY_RUN_ROOT: join(folder, "run"),
      }),
    ).toMatchObject({ code: 0 });
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
