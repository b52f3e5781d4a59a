import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { defaultNetwork } from "#containers/network/contract.ts";
import type { NamespaceChoice } from "#containers/runtime/contract.ts";
import type { Run } from "#formats/dockerfile/contract.ts";
import { heredocText, isOneHeredoc } from "#formats/dockerfile/heredoc.ts";
import { excerpt } from "#formats/dockerfile/place.ts";
import type { ContainerConfig } from "#formats/oci/contract.ts";
import type { BuildRequest, StepFailure } from "./contract.ts";
import type { HeldMounts } from "./held-mounts.ts";
import type { BuildScope, StepRoot } from "./layer-step.ts";
import { withShell } from "./metadata.ts";
import { OutputTail } from "./output-tail.ts";
import type { Places } from "./places.ts";
import { hostname, type RunFiles, scriptFolder } from "./run-files.ts";

/** What RUN is given where image, ENV and ARG set none. None of it is in the image's config. */
function fixedEnvironment(layerTime: number): Record<string, string> {
  return { TZ: "UTC", LANG: "C.UTF-8", PYTHONHASHSEED: "0", SOURCE_DATE_EPOCH: String(layerTime) };
}

/** A RUN with everything known that decides what it does. */
export interface RunPlan {
  readonly args: readonly string[];
  /** A script to be run as a file, for a heredoc that begins with #!. */
  readonly script?: { readonly name: string; readonly text: string };
  readonly environment: Readonly<Record<string, string>>;
  /** In the environment, not in the key. */
  readonly proxies: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: string;
  readonly network: "default" | "none" | "host";
}

/** Refuses, by name and place, what this builder does not execute yet. */
export function refuseUnsupported(run: Run, places: Places): void {
  const refuse = (what: string, range: Run["range"]) =>
    places.wrong(range, `${what} is not executed by this version`, undefined, "unsupported");
  if (run.security !== "sandbox")
    throw refuse("RUN --security=insecure", run.flags.find((f) => f.name === "security")!.range);
  for (const device of run.devices) throw refuse("RUN --device", device.range);
}

export function planRun(
  run: Run,
  request: BuildRequest,
  image: ContainerConfig,
  variables: {
    readonly environment: Readonly<Record<string, string>>;
    readonly proxies: Readonly<Record<string, string>>;
  },
  layerTime: number,
): RunPlan {
  const fixed = request.noFixedEnv ? {} : fixedEnvironment(layerTime);
  return {
    ...runWords(run, image),
    environment: { ...fixed, ...variables.environment },
    proxies: variables.proxies,
    cwd: image.WorkingDir || "/",
    user: image.User ?? "",
    network: run.network === "default" ? request.network : run.network,
  };
}

function runWords(run: Run, image: ContainerConfig): Pick<RunPlan, "args" | "script"> {
  if (run.command.form === "exec") return { args: run.command.words };
  const { line } = run.command;
  const [first] = run.heredocs;
  if (first === undefined) return { args: withShell(image, line) };
  if (!isOneHeredoc(line)) {
    // The shell reads the heredocs itself.
    const bodies = run.heredocs.map((heredoc) => `\n${heredoc.body}${heredoc.name}`).join("");
    return { args: withShell(image, `${line}${bodies}`) };
  }
  const text = heredocText(first);
  if (!text.startsWith("#!")) return { args: withShell(image, text) };
  const name = first.name.replaceAll("/", "_");
  return { args: [`${scriptFolder}/${name}`], script: { name, text } };
}

/** Runs it to its end. A non-zero exit is an error with the place and the last lines. */
export async function executeRun(
  scope: BuildScope,
  plan: RunPlan,
  files: RunFiles,
  mounts: HeldMounts,
  at: {
    readonly run: Run;
    readonly step: number;
    readonly places: Places;
    readonly lines: readonly string[];
    readonly file: string;
  },
  root: StepRoot,
  request: BuildRequest,
): Promise<void> {
  const { ports, signal } = scope;
  const { shmSize, ulimits, ...resources } = request.limits;
  const id = `build-${scope.id}-${at.step}`;
  const network = await openNetwork(scope, plan.network, id);
  const tail = new OutputTail();
  try {
    const exit = await ports.runtime.run({
      id,
      bundle: makeFolder(join(root.folder, "bundle")),
      signal,
      onOutput: (stream, bytes) => {
        tail.write(bytes);
        scope.emit({ type: "log", step: at.step, stream, bytes });
      },
      spec: {
        rootfs: root.path,
        process: {
          args: plan.args,
          env: Object.entries({ ...plan.proxies, ...plan.environment, ...mounts.environment }).map(
            ([name, value]) => `${name}=${value}`,
          ),
          cwd: plan.cwd,
          user: plan.user,
          ...(ulimits === undefined ? {} : { ulimits }),
        },
        namespaces: { network },
        ...(plan.network === "host" ? {} : { hostname }),
        cgroup: `${ports.cgroupParent}/${id}`,
        mounts: [...files.mounts(root.folder, request), ...mounts.specs],
        resources,
        ...(shmSize === undefined ? {} : { shmSize }),
      },
    });
    if (exit.code !== 0) throw stepFailed(exit.code, at, plan.args, tail.lines());
  } finally {
    if (plan.network === "default") await ports.networks.release(id);
  }
}

async function openNetwork(scope: BuildScope, mode: RunPlan["network"], owner: string): Promise<NamespaceChoice> {
  const { networks } = scope.ports;
  if (mode === "host") return { kind: "host" };
  if (mode === "none") return { kind: "new" };
  return { kind: "path", path: (await networks.lease(owner, { endpoints: [{ network: defaultNetwork }] })).namespace };
}

function stepFailed(
  exitCode: number,
  at: { readonly run: Run; readonly lines: readonly string[]; readonly file: string },
  command: readonly string[],
  lastLines: readonly string[],
): GantryError {
  const { line, column } = at.run.range.start;
  const details: StepFailure = {
    file: at.file,
    line,
    column,
    excerpt: excerpt(at.lines, at.run.range.start),
    step: at.run.text,
    command,
    exitCode,
    lastLines,
  };
  const shown = at.run.text.length > 200 ? `${at.run.text.slice(0, 200)}...` : at.run.text;
  const output = lastLines.length === 0 ? " and it wrote nothing" : `; its last lines:\n  ${lastLines.join("\n  ")}`;
  return new GantryError("invalid", {
    doing: "build the Dockerfile",
    on: at.file,
    because: `line ${line}: ${shown} ended with exit code ${exitCode}${exitCodeWords(exitCode)}${output}`,
    details: { ...details },
  });
}

function exitCodeWords(code: number): string {
  if (code === 137) return " (killed: out of memory, or from outside)";
  if (code === 127) return " (a command was not found)";
  return code > 128 ? ` (signal ${code - 128})` : "";
}

function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
