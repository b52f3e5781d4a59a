import type { Bar, Machine, Report, Row } from "./contract.ts";
import { median } from "./statistics.ts";

const fastMachine = 25;

export type Verdict = "met" | "missed" | "not counted";

/** Bars of the issue on medians; an absolute one counts where the machine's yardstick is quick enough. */
export function judge(row: Row, bar: Bar, yardstick: number): Verdict {
  const own = median(row.samples.get("gantry") ?? []);
  if (bar.kind === "at-least") return own >= bar.value ? "met" : "missed";
  if (bar.kind === "at-most") {
    if (bar.yardstick === true && yardstick > fastMachine) return "not counted";
    return own <= bar.value ? "met" : "missed";
  }
  const ratio = own / median(row.samples.get(bar.rival) ?? []);
  return (bar.kind === "ratio-at-most" ? ratio <= bar.value : ratio >= bar.value) ? "met" : "missed";
}

export function describeBar(bar: Bar, unit: string): string {
  if (bar.kind === "at-least") return `≥ ${bar.value} ${unit}`;
  if (bar.kind === "at-most") return `≤ ${bar.value} ${unit}`;
  return `${bar.kind === "ratio-at-most" ? "≤" : "≥"} ${bar.value} × ${bar.rival}`;
}

/** Markdown, fit for a terminal and for docs/performance.md. */
export function table({ machine, rows, failures }: Report): string {
  const head = ["work", "unit", "Gantry", "rivals (Gantry ÷ rival)", "bar", "verdict"];
  const body = rows.map((row) => [
    row.work,
    row.unit,
    figure(median(row.samples.get("gantry") ?? [])),
    rivals(row),
    row.bars.map((bar) => describeBar(bar, row.unit)).join("; ") || "–",
    row.bars.map((bar) => judge(row, bar, machine.yardstick)).join("; ") || "–",
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((line) => line[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const notes = rows.flatMap((row) => (row.note === undefined ? [] : [`${row.work}: ${row.note}`]));
  return [
    facts(machine),
    "",
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...body.map(line),
    "",
    ...notes,
    ...failures.map(({ name, because }) => `NOT MEASURED: ${name}: ${because}`),
  ].join("\n");
}

function rivals(row: Row): string {
  const own = median(row.samples.get("gantry") ?? []);
  return [...row.samples]
    .filter(([name]) => name !== "gantry")
    .map(([name, samples]) => `${name} ${figure(median(samples))} (${(own / median(samples)).toFixed(2)})`)
    .join(", ");
}

function facts(machine: Machine): string {
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(" ");
  return [
    `commit ${machine.commit}, ${machine.date}`,
    `${machine.cores} cores (${machine.processor}), ${machine.memoryMegabytes} MB, kernel ${machine.kernel}, ${machine.system}`,
    `load average before ${load(machine.loadBefore)}, after ${load(machine.loadAfter)}; bun -e 0: ${figure(machine.yardstick)} ms`,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ].join("\n");
}

function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
