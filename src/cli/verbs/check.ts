import type { Context, Verb } from "../contract.ts";
import { paint } from "../output/colour.ts";

/** As the store says it: what is wrong, and what repairing does about it. */
interface Finding {
  readonly kind: string;
  readonly on: string;
  readonly because: string;
  readonly remedy: string;
}

interface CheckAnswer {
  readonly findings: readonly Finding[];
  readonly remaining: readonly Finding[];
}

export const verb: Verb = {
  declare(command, run) {
    command
      .option("--dry-run", "look only, repair nothing")
      .option("--quick", "presence and sizes only; do not read every blob again")
      .option("--json", "findings and what remains as JSON");
    command.action((options: { dryRun?: boolean; quick?: boolean; json?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        const answer = await client.request<CheckAnswer>("POST", "/gantry/v1/check", {
          query: { deep: options.quick === true ? 0 : 1, repair: options.dryRun === true ? 0 : 1 },
        });
        if (options.json === true) context.stdout.write(`${JSON.stringify(answer)}\n`);
        else context.stdout.write(inWords(context, answer, options.dryRun === true));
        return answer.remaining.length === 0 ? undefined : 1;
      }),
    );
  },
};

function inWords(context: Context, { findings, remaining }: CheckAnswer, lookedOnly: boolean): string {
  if (findings.length === 0) return "Nothing is damaged.\n";
  const same = (a: Finding, b: Finding) => a.kind === b.kind && a.on === b.on;
  const lines = findings.map((finding) => {
    const stays = remaining.some((other) => same(finding, other));
    const mark = stays ? paint(context.stdout, "red", "damaged ") : paint(context.stdout, "green", "repaired");
    const remedy = lookedOnly ? `To repair: ${finding.remedy}` : stays ? `Tried: ${finding.remedy}` : finding.remedy;
    return `${mark} ${finding.kind} ${finding.on}: ${finding.because}. ${remedy}\n`;
  });
  const next =
    remaining.length === 0
      ? "All of it is repaired."
      : lookedOnly
        ? `${remaining.length} found. Repair with: gantry check`
        : `${remaining.length} remain. Pull or build the images again that need them.`;
  return `${lines.join("")}${next}\n`;
}
