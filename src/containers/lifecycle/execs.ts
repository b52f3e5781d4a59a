import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { ContainerSpec, TerminalSize } from "#containers/runtime/contract.ts";
import { LiveAttachment } from "./attachment.ts";
import { startConmon } from "./conmon.ts";
import type { Context } from "./context.ts";
import type { Attachment, ExecRecord, ExecRequest, Execs, WaitResult } from "./contract.ts";
import { signalName, signalProcess } from "./signals.ts";
import { rule } from "./states.ts";
import { resizeTerminal } from "./stopping.ts";

/** Ended execs remembered for `inspect`; the oldest go first. */
const mostEnded = 1000;

interface Exec {
  record: ExecRecord;
  readonly folder: string;
  readonly privileged: boolean;
  readonly ended: PromiseWithResolvers<WaitResult>;
}

/** Processes started beside a container's own. They live in memory: with the engine go their records, not they. */
export class ExecTable implements Execs {
  readonly #context: Context;
  readonly #execs = new Map<string, Exec>();
  readonly #ended: string[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  async create(container: string, request: ExecRequest): Promise<ExecRecord> {
    const entry = this.#context.find(container);
    rule(entry.record, "exec");
    this.#context.runtime.expectStart();
    const id = this.#context.random.hex(32);
    const record: ExecRecord = {
      id,
      container: entry.record.id,
      request: request.request ?? null,
      process: request.process,
      openStdin: request.openStdin ?? false,
      state: { status: "created" },
    };
    const folder = join(entry.paths.run, `exec-${id.slice(0, 16)}`);
    const privileged = request.privileged ?? false;
    this.#execs.set(id, { record, folder, privileged, ended: Promise.withResolvers() });
    this.#context.emit("exec_create", entry.record, { execID: id });
    return record;
  }

  async start(
    id: string,
    options: { readonly attach: boolean; readonly size?: TerminalSize },
  ): Promise<Attachment | undefined> {
    const exec = this.#find(id);
    if (exec.record.state.status !== "created") {
      throw new GantryError("conflict", {
        doing: "start the exec",
        on: id,
        because: `it is ${exec.record.state.status}`,
      });
    }
    const entry = this.#context.find(exec.record.container);
    rule(entry.record, "exec");
    const { process, openStdin } = exec.record;
    const client = options.attach ? new LiveAttachment({ stdin: openStdin, stdout: true, stderr: true }) : undefined;
    mkdirSync(exec.folder, { mode: 0o700 });
    try {
      const processFile = join(exec.folder, "process.json");
      const { config, sandbox } = entry.record;
      const container = {
        ...config,
        privileged: config.privileged || exec.privileged,
        hostname: sandbox.hostname ?? entry.record.id.slice(0, 12),
      };
      this.#context.runtime.writeProcess(processFile, entry.paths.rootfs, container as unknown as ContainerSpec, {
        ...process,
        ...(options.size === undefined ? {} : { size: options.size }),
      });
      const conmon = await startConmon(this.#context.conmon, this.#context.runtime, {
        id: entry.record.id,
        folder: exec.folder,
        pidFile: join(exec.folder, "pid"),
        conmonPidFile: join(exec.folder, "conmon.pid"),
        terminal: process.terminal ?? false,
        openStdin,
        keepStdin: false,
        exec: { id, processFile },
        ...(client === undefined
          ? {}
          : { beforeExec: () => client.connect(this.#context.packets, join(exec.folder, "attach")) }),
      });
      exec.record = { ...exec.record, state: { status: "running", pid: conmon.pid } };
      this.#context.emit("exec_start", entry.record, { execID: id });
      void conmon.ended.then((code) => this.#finish(exec, code ?? 137));
      return client;
    } catch (error) {
      client?.abandon();
      const code = error instanceof GantryError ? error.parts.details?.exitCode : undefined;
      this.#finish(exec, typeof code === "number" ? code : 126);
      throw error;
    }
  }

  inspect(id: string): ExecRecord {
    return this.#find(id).record;
  }

  wait(id: string): Promise<WaitResult> {
    return this.#find(id).ended.promise;
  }

  async signal(id: string, signal: string): Promise<void> {
    const exec = this.#find(id);
    const { state } = exec.record;
    if (state.status !== "running") {
      throw new GantryError("conflict", { doing: `send ${signal} to the exec`, on: id, because: "it is not running" });
    }
    signalProcess(state.pid, signalName(signal));
  }

  list(container: string): readonly ExecRecord[] {
    const { id } = this.#context.find(container).record;
    return [...this.#execs.values()].map(({ record }) => record).filter((record) => record.container === id);
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const exec = this.#find(id);
    if (exec.record.state.status !== "running") {
      throw new GantryError("conflict", { doing: "resize the exec", on: id, because: "it is not running" });
    }
    resizeTerminal(join(exec.folder, "ctl"), size);
  }

  #finish(exec: Exec, exitCode: number): void {
    exec.record = { ...exec.record, state: { status: "exited", exitCode } };
    exec.ended.resolve({ exitCode });
    rmSync(exec.folder, { recursive: true, force: true });
    this.#ended.push(exec.record.id);
    if (this.#ended.length > mostEnded) this.#execs.delete(this.#ended.shift()!);
    try {
      const { record } = this.#context.find(exec.record.container);
      this.#context.emit("exec_die", record, { execID: exec.record.id, exitCode: String(exitCode) });
    } catch {
      return; // The container went with it.
    }
  }

  #find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec !== undefined) return exec;
    throw new GantryError("not-found", { doing: "find the exec", on: id, because: "there is none of that id" });
  }
}
