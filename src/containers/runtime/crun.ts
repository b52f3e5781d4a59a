import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import { MoveExpectation } from "#base/system/cgroup/expect-move.ts";
import { installedProgram } from "#base/system/process/installed.ts";
import { type SealedProgram, sealProgram } from "#base/system/process/sealed-program.ts";
import { bundleConfig } from "./bundle.ts";
import { hostCapabilities } from "./capabilities.ts";
import type {
  ContainerSpec,
  ExecOptions,
  Exit,
  ProcessSpec,
  ResolvedUser,
  Resources,
  RunOptions,
  Runtime,
  RuntimeState,
} from "./contract.ts";
import { crunError } from "./crun-words.ts";
import { execForeground, runForeground } from "./foreground.ts";
import { readHardLimits, resourceLimits } from "./limits.ts";
import { type HostFacts, processFor, readAccountFiles } from "./process-spec.ts";
import { needsCgroup, refuseLimits } from "./without-cgroups.ts";

export interface CrunOptions {
  /** crun's own state, a private folder below the run folder; made when missing. */
  readonly state: string;
  /** Starts programs where containers run; empty inside the Holder. */
  readonly prefix?: readonly string[];
  /** Whether cgroups may be made; default true. */
  readonly cgroups?: boolean;
  readonly faults?: Faults;
}

export function openCrun(options: CrunOptions): Runtime {
  return new Crun(options);
}

/** One for the process, not one a runtime: it is never given back, since conmon may be about to start it. */
const sealed = new Map<string, SealedProgram>();

function sealedWhereAllowed(file: string): string {
  try {
    const program = sealed.get(file) ?? sealProgram(file);
    sealed.set(file, program);
    return program.path;
  } catch (error) {
    if (isKind(error, "denied")) return file; // Then crun copies itself, as it does by default.
    throw error;
  }
}

class Crun implements Runtime {
  readonly program: string;
  readonly programArguments: readonly string[];
  readonly prefix: readonly string[];
  readonly cgroups: boolean;
  readonly #faults: Faults;
  readonly #host: HostFacts;
  readonly #moves = new MoveExpectation();

  constructor({ state, prefix = [], cgroups = true, faults = noFaults }: CrunOptions) {
    this.program = sealedWhereAllowed(installedProgram("crun", "run containers"));
    mkdirSync(state, { recursive: true, mode: 0o700 });
    this.cgroups = cgroups;
    this.programArguments = ["--root", state, ...(cgroups ? [] : ["--cgroup-manager=disabled"])];
    this.prefix = prefix;
    this.#faults = faults;
    const init = Bun.which("catatonit");
    this.#host = {
      capabilities: hostCapabilities(),
      hardLimits: readHardLimits(),
      ...(init === null ? {} : { init }),
    };
  }

  exec(options: ExecOptions): Promise<Exit> {
    return execForeground(this, options);
  }

  async update(id: string, file: string, resources: Resources): Promise<void> {
    if (!this.cgroups) throw needsCgroup("change the limits of", id);
    this.#write(file, resourceLimits(resources));
    const { code, text } = await this.#command(["update", "--resources", file, id]);
    if (code !== 0) throw crunError("change the limits of", id, text);
  }

  run(options: RunOptions): Promise<{ readonly code: number }> {
    return runForeground(this, options);
  }

  checkLimits(resources: Resources): void {
    if (!this.cgroups) refuseLimits(resources);
  }

  writeBundle(bundle: string, asked: ContainerSpec): ResolvedUser {
    this.checkLimits(asked.resources ?? {});
    const spec = this.cgroups ? asked : { ...asked, withoutCgroup: true };
    const { config, user } = bundleConfig(spec, this.#host, readAccountFiles(spec.rootfs));
    this.#write(join(bundle, "config.json"), config);
    return user;
  }

  writeProcess(
    file: string,
    rootfs: string,
    container: Pick<ContainerSpec, "privileged" | "hostname">,
    process: ProcessSpec,
  ): void {
    const { oci } = processFor(process, { container, host: this.#host, accounts: readAccountFiles(rootfs) });
    this.#write(file, oci);
  }

  expectStart(): void {
    this.#moves.expectMove();
  }

  async start(id: string): Promise<void> {
    const { code, text } = await this.#command(["start", id]);
    if (code !== 0) throw crunError("start the container", id, text);
  }

  async kill(id: string, signal: string, all = false): Promise<void> {
    // Without a cgroup crun would find nobody; the first process's end is that of all in its process namespace.
    const { code, text } = await this.#command(["kill", ...(all && this.cgroups ? ["--all"] : []), id, signal]);
    if (code === 0 || /does not exist|No such process|not running|No such file/i.test(text)) return;
    throw crunError(`send ${signal} to`, id, text);
  }

  async pause(id: string): Promise<void> {
    if (!this.cgroups) throw needsCgroup("pause", id);
    const { code, text } = await this.#command(["pause", id]);
    if (code !== 0) throw crunError("pause", id, text);
  }

  async resume(id: string): Promise<void> {
    const { code, text } = await this.#command(["resume", id]);
    if (code !== 0) throw crunError("resume", id, text);
  }

  async state(id: string): Promise<RuntimeState | undefined> {
    const { code, text, output } = await this.#command(["state", id]);
    if (code !== 0) {
      if (/does not exist|No such file/i.test(text)) return undefined;
      throw crunError("read the state of", id, text);
    }
    const { status, pid } = JSON.parse(output) as RuntimeState;
    return { status, pid };
  }

  async delete(id: string): Promise<void> {
    const { code, text } = await this.#command(["delete", "--force", id]);
    if (code === 0 || /does not exist|No such file/i.test(text)) return;
    throw crunError("remove the runtime state of", id, text);
  }

  async #command(words: readonly string[]): Promise<{ code: number; text: string; output: string }> {
    const child = Bun.spawn([...this.prefix, this.program, ...this.programArguments, ...words], {
      cwd: "/",
      env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdio: ["ignore", words[0] === "state" ? "pipe" : "ignore", "pipe"],
    });
    const [code, text, output] = await Promise.all([
      child.exited,
      new Response(child.stderr).text(),
      child.stdout instanceof ReadableStream ? new Response(child.stdout).text() : "",
    ]);
    return { code, text: text.trim(), output };
  }

  #write(file: string, value: object): void {
    const half = `${file}.new`;
    writeFileSync(half, JSON.stringify(value), { mode: 0o600 });
    this.#faults.at("runtime.bundle.rename");
    renameSync(half, file);
  }
}
