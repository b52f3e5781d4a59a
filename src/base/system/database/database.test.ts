import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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

test("a log written ahead keeps its size over commits and openings, and what was committed is read from it", () => {
  using folder = scratch();
  const path = join(folder.path, "g.db");
  const size = () => statSync(`${path}-wal`).size;
  {
    using database = openDatabase(path, { logAhead: true });
    database.run("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT");
  }
  const ahead = size();
  expect(ahead).toBeGreaterThan(4e6);
  using database = openDatabase(path, { logAhead: true });
  // Several times around the log.
  for (let turn = 0; turn < 30; turn += 1)
    database.transaction("test.fill", () => {
      for (let n = 0; n < 100; n += 1)
        database.run("INSERT OR REPLACE INTO t VALUES (?, ?)", n, `${turn}`.padEnd(3000, "x"));
    });
  database.run("INSERT INTO t VALUES (1000, 'last')");
  expect(size()).toBe(ahead);
  // The files as they stand when the program dies now.
  const copy = join(folder.path, "copy.db");
  for (const end of ["", "-wal"]) cpSync(`${path}${end}`, `${copy}${end}`);
  expect(readFileSync(`${copy}-wal`).includes("last")).toBe(true);
  using again = openDatabase(copy);
  expect(again.get<{ text: string }>("SELECT text FROM t WHERE n = 1000")).toEqual({ text: "last" });
  expect(again.get<{ count: number }>("SELECT COUNT(*) AS count FROM t WHERE text LIKE '29x%'")).toEqual({
    count: 100,
  });
  expect(again.integrity()).toEqual([]);
});

test("a database opened as not durable keeps what was committed when it is closed", () => {
  using folder = scratch();
  const path = join(folder.path, "g.db");
  {
    using database = openDatabase(path, { durable: false });
    database.run("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
    database.run("INSERT INTO t VALUES (1)");
  }
  using database = openDatabase(path, { durable: false });
  expect(database.all<{ n: number }>("SELECT n FROM t")).toEqual([{ n: 1 }]);
});
