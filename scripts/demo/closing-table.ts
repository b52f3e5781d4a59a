import { bold, dim, green } from "./gantry.ts";

export interface StepResult {
  readonly title: string;
  /** A sentence: why anybody should care. */
  readonly why: string;
  /** What was measured just now. */
  readonly proved: string;
  readonly seconds: number;
}

export function closingTable(steps: readonly StepResult[], apart: readonly string[]): string {
  const width = Math.min(100, process.stdout.columns ?? 100);
  const lines: string[] = ["", bold("What just happened"), "─".repeat(width)];
  steps.forEach((step, index) => {
    const time = `${step.seconds.toFixed(1)} s`;
    const title = `${green("✓")} ${index + 1}. ${bold(step.title)}`;
    lines.push(`${title}${" ".repeat(Math.max(1, width - Bun.stringWidth(title) - time.length))}${time}`);
    for (const line of wrap(step.why, width - 5)) lines.push(dim(`     ${line}`));
    for (const line of wrap(step.proved, width - 5)) lines.push(`     ${line}`);
  });
  lines.push("─".repeat(width));
  const total = steps.reduce((sum, step) => sum + step.seconds, 0);
  lines.push(`${bold(`${total.toFixed(1)} s`)} in all${apart.length === 0 ? "" : `, of which ${apart.join(", ")}`}`);
  return lines.join("\n");
}

function wrap(text: string, width: number): string[] {
  return Bun.wrapAnsi(text, width).split("\n");
}
