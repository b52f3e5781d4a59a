/** What differs between any two engines, and any two runs: ids, times, addresses, places. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/sha256:[0-9a-f]{64}/g, "<digest>"],
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b[0-9a-f]{12}\b/g, "<short id>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, "<time>"],
  [/\b(\d{1,3}\.){3}\d{1,3}\b/g, "<address>"],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\/tmp\/gantry-[a-z]+-\w+/g, "<folder>"],
];

/** A case's answer as text to compare. */
export function normalised(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2) ?? "undefined";
  return rules.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text);
}
