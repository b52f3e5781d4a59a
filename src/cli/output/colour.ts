import type { Terminal } from "../contract.ts";

const codes = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", blue: "34", cyan: "36" } as const;

/** Text in a colour, on a terminal that shows colours; elsewhere the text alone. */
export function paint(terminal: Terminal, colour: keyof typeof codes, text: string): string {
  return terminal.colour ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
}
