import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";

function scratch(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "database-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("a transaction is all or nothing and names its commit to the faults", () => {
  using folder = scratch();
  const points: string[] = [];
  using database = openDatabase(join(folder.path, "g.db"), { faults: { at: (point) => points.push(point) } });
  migrate(database, "images", ["CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT"]);
  database.transaction("images.add", () => database.run("INSERT INTO t VALUES (1)"));
  expect(() =>
    database.transaction("images.add", () => {
      database.run("INSERT INTO t VALUES (2)");
      throw new Error("stop");
    }),
  ).toThrow("stop");
  expect(database.all<{ n: number }>("SELECT n FROM t")).toEqual([{ n: 1 }]);
  expect(points).toEqual(["database.images.migrate.commit", "database.images.add.commit"]);
  expect(database.integrity()).toEqual([]);
});

test("each room migrates by itself and a newer schema is refused with words", () => {
  using folder = scratch();
  const path = join(folder.path, "g.db");
  const first = "CREATE TABLE a (x TEXT) STRICT";
  const second = "ALTER TABLE a ADD COLUMN y TEXT";
  {
    using database = openDatabase(path);
    migrate(database, "images", [first]);
    migrate(database, "volumes", ["CREATE TABLE v (x TEXT) STRICT"]);
  }
  {
    using database = openDatabase(path);
    migrate(database, "images", [first, second]);
    database.run("INSERT INTO a VALUES ('1', '2')");
  }
  using database = openDatabase(path);
  let thrown: unknown;
  try {
    migrate(database, "images", [first]);
  } catch (error) {
    thrown = error;
  }
  expect(isKind(thrown, "unsupported")).toBe(true);
});

test("what is no database is corrupt, a broken constraint a conflict", () => {
  using folder = scratch();
  const path = join(folder.path, "g.db");
  writeFileSync(path, "this is no database".repeat(500));
  const kind = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return isKind(error) ? error.kind : "foreign";
    }
    return "none";
  };
  expect(kind(() => openDatabase(path))).toBe("corrupt");
  using database = openDatabase(join(folder.path, "ok.db"));
  database.run("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
  database.run("INSERT INTO t VALUES (1)");
  expect(kind(() => database.run("INSERT INTO t VALUES (1)"))).toBe("conflict");
});
