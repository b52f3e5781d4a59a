import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requirePrivate } from "./private-folder.ts";

const base = mkdtempSync(join(tmpdir(), "gantry-private-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const uid = process.getuid!();

test("an own folder and one not there yet are private", () => {
  const own = join(base, "own");
  requirePrivate(own, uid);
  mkdirSync(own, { mode: 0o700 });
  requirePrivate(own, uid);
});

test("another's folder, one that others write in and a link are refused", () => {
  const open = join(base, "open");
  mkdirSync(open);
  expect(() => requirePrivate(open, uid + 1)).toThrow(`it belongs to user ${uid}`);
  chmodSync(open, 0o777);
  expect(() => requirePrivate(open, uid)).toThrow("others may write in it");
  symlinkSync(base, join(base, "link"));
  expect(() => requirePrivate(join(base, "link"), uid)).toThrow("it is no folder");
});
