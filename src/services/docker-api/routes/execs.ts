import { GantryError, isKind } from "#base/core/errors.ts";
import type { Attachment, ExecRecord } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ExecCreateBody, ExecInspect, ExecStartBody } from "#formats/docker/container.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { mergeEnv } from "../create/image-defaults.ts";
import { frame, joinStreams, multiplexedStream, rawStream, written } from "../multiplex.ts";
import { size } from "./containers.ts";

export function execRoutes(engine: Engine): Route[] {
  return [
    { method: "POST", path: "/containers/:id/exec", handle: (call) => create(engine, call) },
    { method: "POST", path: "/exec/:id/start", handle: (call) => start(engine, call) },
    {
      method: "POST",
      path: "/exec/:id/resize",
      handle: async (call) => {
        await engine.containers.execs.resize(call.params.id!, size(call));
        return { status: 200 };
      },
    },
    // Not Docker's: a program started beside the container's own can be stopped too.
    {
      method: "POST",
      path: "/exec/:id/kill",
      handle: async (call) => {
        await engine.containers.execs.signal(call.params.id!, call.query.get("signal") || "SIGKILL");
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: "/containers/:id/execs",
      handle: (call) => ({ status: 200, json: engine.containers.execs.list(call.params.id!).map(inspect) }),
    },
    {
      method: "GET",
      path: "/exec/:id/json",
      handle: (call) => ({ status: 200, json: inspect(engine.containers.execs.inspect(call.params.id!)) }),
    },
  ];
}

async function create(engine: Engine, call: Call): Promise<Answer> {
  const body = await call.json<ExecCreateBody>();
  const args = body.Cmd ?? [];
  if (args.length === 0) {
    throw new GantryError("invalid", {
      doing: "run a program in the container",
      on: call.params.id!,
      because: "No exec command specified",
    });
  }
  const container = engine.containers.get(call.params.id!);
  const own = container.config.process;
  const record = await engine.containers.execs.create(container.id, {
    process: {
      args,
      env: mergeEnv(own.env ?? [], [...(body.Tty === true ? ["TERM=xterm"] : []), ...(body.Env ?? [])]),
      cwd: body.WorkingDir || own.cwd || "/",
      user: body.User || own.user || "0",
      additionalGroups: own.additionalGroups ?? [],
      terminal: body.Tty === true,
      capabilities: own.capabilities ?? {},
      noNewPrivileges: own.noNewPrivileges ?? false,
      ...(body.ConsoleSize ? { size: { rows: body.ConsoleSize[0], columns: body.ConsoleSize[1] } } : {}),
    },
    privileged: body.Privileged === true,
    openStdin: body.AttachStdin === true,
    request: body,
  });
  return { status: 201, json: { Id: record.id } };
}

async function start(engine: Engine, call: Call): Promise<Answer> {
  const body = await call.json<ExecStartBody>();
  const record = engine.containers.execs.inspect(call.params.id!);
  const terminal = record.process.terminal === true;
  const console_ = body.ConsoleSize;
  let attachment: Attachment | undefined;
  try {
    attachment = await engine.containers.execs.start(record.id, {
      attach: body.Detach !== true,
      ...(console_ ? { size: { rows: console_[0], columns: console_[1] } } : {}),
    });
  } catch (error) {
    if (body.Detach === true || !isKind(error) || error.parts.details?.exitCode === undefined) throw error;
    return notStarted(error.message, terminal);
  }
  if (attachment === undefined) return { status: 200 };
  return {
    contentType: terminal ? rawStream : multiplexedStream,
    hijack: async (socket) => {
      await joinStreams(socket, attachment, { terminal, stdin: record.openStdin });
      // Clients ask for the exit code as soon as the stream ends: it must be known by then.
      if (!socket.destroyed) await engine.containers.execs.wait(record.id);
    },
  };
}

/** Clients that ask for a shell and take the next when there is none look for words in the stream and an exit code. */
function notStarted(message: string, terminal: boolean): Answer {
  const words = Buffer.from(`${message}\r\n`);
  return {
    contentType: terminal ? rawStream : multiplexedStream,
    hijack: async (socket) => written(socket, terminal ? words : frame("stderr", words)),
  };
}

function inspect(record: ExecRecord): ExecInspect {
  const request = record.request as ExecCreateBody;
  const [entrypoint, ...rest] = record.process.args;
  return {
    ID: record.id,
    Running: record.state.status === "running",
    ExitCode: record.state.status === "exited" ? record.state.exitCode : null,
    ProcessConfig: {
      tty: record.process.terminal === true,
      entrypoint: entrypoint ?? "",
      arguments: rest,
      privileged: request.Privileged === true,
      ...(request.User === undefined ? {} : { user: request.User }),
    },
    OpenStdin: record.openStdin,
    OpenStderr: request.AttachStderr === true,
    OpenStdout: request.AttachStdout === true,
    CanRemove: record.state.status === "exited",
    ContainerID: record.container,
    DetachKeys: request.DetachKeys ?? "",
    Pid: record.state.status === "running" ? record.state.pid : 0,
  };
}
