import { readFileSync } from "node:fs";
import { release } from "node:os";
import { resolve } from "node:path";
import { defaultPlaces } from "#base/core/places.ts";
import { ownUserName } from "#base/core/subordinate-ids.ts";
import type { Context, Terminal, Verb } from "../contract.ts";
import { checkDataRoot } from "../doctor/data-root.ts";
import { checkEngine } from "../doctor/engine.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkKernel } from "../doctor/kernel.ts";
import { type Mount, parseMounts } from "../doctor/mounts.ts";
import { checkPrograms } from "../doctor/programs.ts";
import { remedyWords, writeReport } from "../doctor/report.ts";
import { checkUser, opensDevice, tryOverlay } from "../doctor/user.ts";
import { paint } from "../output/colour.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .option("--json", "all of it as JSON")
      .option("--report [file]", "write a text file with all that a bug report needs, without secrets");
    command.action((options: { json?: boolean; report?: string | true }) =>
      run(async (context) => {
        const uid = process.getuid?.() ?? 0;
        const mountText = readText("/proc/self/mountinfo") ?? "";
        const mounts = parseMounts(mountText);
        const engine = await checkEngine(context.host);
        const dataRoot = engine.info?.DataRoot ?? defaultPlaces(context.env, uid).dataRoot;
        const findings = [
          ...checkPrograms(uid),
          ...kernelFindings(uid, mounts),
          ...(uid === 0 ? [] : userFindings(uid, dataRoot)),
          ...checkDataRoot(dataRoot, mounts),
          ...engine.findings,
        ];
        if (options.report !== undefined) {
          const file = reportFile(context, options.report);
          const osRelease = readText("/etc/os-release") ?? "";
          const { env } = context;
          await writeReport(file, { findings, info: engine.info, dataRoot, env, mounts: mountText, osRelease });
          context.stdout.write(`${file}\n`);
          return undefined;
        }
        const well = findings.every(({ state }) => state !== "missing");
        if (options.json === true) context.stdout.write(`${JSON.stringify({ ok: well, findings })}\n`);
        else context.stdout.write(findings.map((finding) => line(context.stdout, finding)).join(""));
        return well ? undefined : 1;
      }),
    );
  },
};

/** A user's engine forwards in a network namespace of its own, and sees cgroups that are its user's or none. */
const rootsOwn = new Set(["ip_forward", "cgroups"]);

function kernelFindings(uid: number, mounts: readonly Mount[]): Finding[] {
  const all = checkKernel(readText, mounts, release());
  if (uid === 0) return all;
  const needed = (finding: Finding): Finding =>
    finding.subject === "user namespaces" && finding.state === "warning" ? { ...finding, state: "missing" } : finding;
  return all.filter(({ subject }) => !rootsOwn.has(subject)).map(needed);
}

function userFindings(uid: number, dataRoot: string): Finding[] {
  const overlay = () => tryOverlay(dataRoot);
  return checkUser({ uid, name: ownUserName(), read: readText, opens: opensDevice, overlay });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not every kernel has every file; what its absence means is for the check to say.
    return undefined;
  }
}

const colours = { ok: "green", warning: "yellow", missing: "red" } as const;

function line(terminal: Terminal, { subject, state, found, remedy }: Finding): string {
  const mend = remedy === undefined ? "" : `. ${remedyWords(remedy)}`;
  return `${paint(terminal, colours[state], state.padEnd(7))}  ${subject.padEnd(15)}  ${found}${mend}\n`;
}

function reportFile(context: Context, flag: string | true): string {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return resolve(context.cwd, flag === true ? `gantry-report-${now}.txt` : flag);
}
