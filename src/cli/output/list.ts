import { table } from "./table.ts";
import { compile } from "./template.ts";

export interface Column<T> {
  readonly title: string;
  /** The field's name in `--format`. */
  readonly field: string;
  readonly cell: (item: T) => string;
}

export interface ListOptions {
  readonly format?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Prints a list as a table, a Go template, JSON lines, or only its first column's raw ids. */
export function renderList<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  options: ListOptions,
  quiet: (item: T) => string,
): string {
  if (options.quiet === true) return items.map((item) => `${quiet(item)}\n`).join("");
  const record = (item: T) => Object.fromEntries(columns.map((column) => [column.field, column.cell(item)]));
  if (options.json === true || options.format === "json") {
    return items.map((item) => `${JSON.stringify(record(item))}\n`).join("");
  }
  const shown = columns.filter((column) => column.title !== "");
  if (options.format === undefined || options.format === "table") {
    return table(
      shown.map((column) => column.title),
      items.map((item) => shown.map((column) => column.cell(item))),
    );
  }
  if (options.format.startsWith("table ")) return renderTable(items, columns, options.format.slice(6), record);
  const template = compile(options.format);
  return items.map((item) => `${template(record(item))}\n`).join("");
}

function renderTable<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  source: string,
  record: (item: T) => Record<string, string>,
): string {
  const template = compile(source);
  const titles = template(
    Object.fromEntries(columns.map((column) => [column.field, column.title || column.field.toUpperCase()])),
  );
  return table(
    titles.split("\t"),
    items.map((item) => template(record(item)).split("\t")),
  );
}
