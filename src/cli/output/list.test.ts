import { expect, test } from "bun:test";
import { type Column, renderList } from "./list.ts";

const columns: Column<{ id: string; name: string }>[] = [
  { title: "ID", field: "ID", cell: (item) => item.id },
  { title: "NAME", field: "Names", cell: (item) => item.name },
  { title: "", field: "Hidden", cell: () => "h" },
];
const items = [
  { id: "1", name: "a" },
  { id: "2", name: "b" },
];
const shown = (options: Parameters<typeof renderList>[2]) => renderList(items, columns, options, (item) => item.id);

test("a list is a table, ids, JSON lines or a template", () => {
  expect(shown({})).toBe("ID   NAME\n1    a\n2    b\n");
  expect(shown({ quiet: true, format: "json" })).toBe("1\n2\n");
  expect(JSON.parse(shown({ json: true }).split("\n")[1]!)).toEqual({ ID: "2", Names: "b", Hidden: "h" });
  expect(shown({ format: "{{.Names}}/{{.Hidden}}" })).toBe("a/h\nb/h\n");
});

test("table in front of a template gives titles, also of columns that are hidden otherwise", () => {
  expect(shown({ format: "table {{.Names}}\\t{{.Hidden}}" })).toBe("NAME   HIDDEN\na      h\nb      h\n");
});

test("nothing to list prints titles in a table and nothing elsewhere", () => {
  expect(renderList([], columns, {}, () => "")).toBe("ID   NAME\n");
  expect(renderList([], columns, { format: "{{.ID}}" }, () => "")).toBe("");
});
