import { GantryError, isKind } from "#base/core/errors.ts";
import type { ContainerRecord, CreateRequest, WaitCondition } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerCreateBody, ContainerWaitAnswer, HostConfig } from "#formats/docker/container.ts";
import { filters, flag, integer, onlyFilters } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { planCreate } from "../create/create-request.ts";
import { resourcesOf } from "../create/resources.ts";
import { restartPolicyOf } from "../create/restart.ts";
import { findImage } from "../find-image.ts";
import { openFor, platformOf, platformWarnings } from "../platform.ts";
import { inspect, summary } from "../shape/container.ts";
import { checkFilters, matchesFilters } from "../shape/container-filter.ts";

export function containerRoutes(engine: Engine): Route[] {
  const containers = engine.containers;
  const plain = (verb: string, act: (call: Call) => Promise<Answer>): Route => ({
    method: "POST",
    path: `/containers/:id/${verb}`,
    handle: act,
  });
  return [
    { method: "GET", path: "/containers/json", handle: (call) => list(engine, call) },
    { method: "POST", path: "/containers/create", handle: (call) => create(engine, call) },
    { method: "POST", path: "/containers/prune", handle: (call) => prune(engine, call) },
    { method: "GET", path: "/containers/:id/json", handle: (call) => inspectOne(engine, call) },
    { method: "DELETE", path: "/containers/:id", handle: (call) => remove(engine, call) },
    { method: "POST", path: "/containers/:id/wait", handle: (call) => wait(engine, call) },
    {
      method: "GET",
      path: "/containers/:id/top",
      handle: async (call) => {
        const { titles, processes } = await containers.top(call.params.id!, call.query.get("ps_args") ?? "");
        return { status: 200, json: { Titles: titles, Processes: processes } };
      },
    },
    {
      method: "GET",
      path: "/containers/:id/changes",
      handle: async (call) => {
        const kinds = { modified: 0, added: 1, deleted: 2 } as const;
        const changes = await containers.changes(call.params.id!);
        return { status: 200, json: changes.map((change) => ({ Path: change.path, Kind: kinds[change.kind] })) };
      },
    },
    plain("start", async (call) => ({ status: (await containers.start(call.params.id!)) ? 204 : 304 })),
    plain("stop", async (call) => ({ status: (await containers.stop(call.params.id!, ending(call))) ? 204 : 304 })),
    plain("restart", async (call) => {
      await containers.restart(call.params.id!, ending(call));
      return { status: 204 };
    }),
    plain("kill", async (call) => {
      await containers.kill(call.params.id!, call.query.get("signal") ?? "SIGKILL");
      return { status: 204 };
    }),
    plain("pause", async (call) => {
      await containers.pause(call.params.id!);
      return { status: 204 };
    }),
    plain("unpause", async (call) => {
      await containers.unpause(call.params.id!);
      return { status: 204 };
    }),
    plain("rename", async (call) => {
      await containers.rename(call.params.id!, (call.query.get("name") ?? "").replace(/^\//, ""));
      return { status: 204 };
    }),
    plain("update", (call) => update(engine, call)),
    plain("resize", async (call) => {
      await containers.resize(call.params.id!, size(call));
      return { status: 200 };
    }),
  ];
}

export function size(call: Call): { rows: number; columns: number } {
  return { rows: integer(call.query, "h") ?? 24, columns: integer(call.query, "w") ?? 80 };
}

function ending(call: Call): { signal?: string; timeout?: number } {
  const signal = call.query.get("signal");
  const timeout = integer(call.query, "t");
  return { ...(signal === null || signal === "" ? {} : { signal }), ...(timeout === undefined ? {} : { timeout }) };
}

/** The body is a HostConfig's limits and restart policy; a limit of 0 is one that is not named. */
async function update(engine: Engine, call: Call): Promise<Answer> {
  const body = await call.json<HostConfig>();
  const resources = resourcesOf(body);
  const { id, config } = engine.containers.get(call.params.id!);
  await engine.containers.update(id, {
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(body.RestartPolicy?.Name ? { restart: restartPolicyOf(body.RestartPolicy, config.autoRemove === true) } : {}),
  });
  return { status: 200, json: { Warnings: [] } };
}

async function list(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  checkFilters(wanted);
  const limit = integer(call.query, "limit") ?? 0;
  const all = flag(call.query, "all") || limit > 0 || wanted.has("status") || wanted.has("exited");
  let records = engine.containers
    .list()
    .filter((record) => all || ["running", "paused", "restarting"].includes(record.state.status))
    .filter((record) => matchesFilters(engine, record, wanted))
    .sort((a, b) => b.created - a.created);
  if (limit > 0) records = records.slice(0, limit);
  const now = Date.now();
  const sized = flag(call.query, "size");
  const json = await Promise.all(
    records.map(async (record) =>
      summary(engine.networks, record, now, sized ? await sizes(engine, record) : undefined),
    ),
  );
  return { status: 200, json };
}

async function sizes(engine: Engine, record: ContainerRecord): Promise<{ rw: number; root: number }> {
  const { own, whole } = await engine.sizes.container(record.id);
  return { rw: own, root: whole };
}

async function create(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("create the container");
  const body = (await call.json<ContainerCreateBody>()) as ContainerCreateBody;
  const asked = body.Image ?? "";
  const platform = platformOf(call);
  const image = await openFor(engine, findImage(engine, asked), asked, platform);
  const plan = planCreate(engine, body, image, { name: call.query.get("name"), platform });
  const container = await createOrLetGo(engine, plan.request);
  try {
    if (plan.fills.length > 0) {
      await using root = await engine.containers.openRoot(container.id);
      for (const fill of plan.fills) await engine.volumes.fill(fill.volume, root.path, fill.target);
    }
  } catch (error) {
    await engine.containers.remove(container.id, { force: true, volumes: true });
    throw error;
  }
  return {
    status: 201,
    json: { Id: container.id, Warnings: [...platformWarnings(image, platform), ...plan.warnings] },
  };
}

/** A refused container leaves none of the volumes that were made for it alone. */
async function createOrLetGo(engine: Engine, request: CreateRequest): Promise<ContainerRecord> {
  try {
    return await engine.containers.create(request);
  } catch (error) {
    await engine.volumes.removeAnonymous((request.volumes ?? []).filter((use) => use.anonymous).map((use) => use.name));
    throw error;
  }
}

async function inspectOne(engine: Engine, call: Call): Promise<Answer> {
  const record = engine.containers.get(call.params.id!);
  const upper = engine.store.snapshots.get(record.id)?.upper;
  const places = {
    runFolder: `${engine.facts.runRoot}/containers/${record.id}`,
    logPath: `${engine.facts.dataRoot}/containers/${record.id}/container.log`,
    ...(upper === undefined ? {} : { upper }),
  };
  const measured = flag(call.query, "size") ? await sizes(engine, record) : undefined;
  return { status: 200, json: inspect(engine.networks, record, places, [], measured) };
}

async function remove(engine: Engine, call: Call): Promise<Answer> {
  await engine.containers.remove(call.params.id!, { force: flag(call.query, "force"), volumes: flag(call.query, "v") });
  return { status: 204 };
}

const conditions: readonly string[] = ["not-running", "next-exit", "removed"] satisfies WaitCondition[];

async function wait(engine: Engine, call: Call): Promise<Answer> {
  const asked = call.query.get("condition") ?? "not-running";
  if (asked !== "" && !conditions.includes(asked)) {
    throw new GantryError("invalid", {
      doing: "wait for the condition",
      on: asked,
      because: `it is none of ${conditions.join(", ")}`,
    });
  }
  const condition = (asked || "not-running") as WaitCondition;
  const id = engine.containers.get(call.params.id!).id;
  const ended = engine.containers.wait(id, condition, call.signal);
  // The head goes out at once: clients start the container only when they know that the wait stands.
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: async (out) => {
      const { exitCode, error } = await ended;
      const answer: ContainerWaitAnswer = {
        StatusCode: exitCode,
        ...(error === undefined ? {} : { Error: { Message: error } }),
      };
      await out.write(`${JSON.stringify(answer)}\n`);
    },
  };
}

async function prune(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  onlyFilters("containers to prune", wanted, ["until", "label", "label!"]);
  const deleted: string[] = [];
  let bytes = 0;
  for (const record of engine.containers.list()) {
    if (record.state.status !== "exited" && record.state.status !== "created") continue;
    if (!matchesFilters(engine, record, wanted)) continue;
    const usage = await engine.store.snapshots.usage(record.id);
    try {
      await engine.containers.remove(record.id);
      deleted.push(record.id);
      bytes += usage.bytes;
    } catch (error) {
      // Started or removed by somebody else meanwhile: then it is not ours to prune.
      if (!isKind(error, "conflict") && !isKind(error, "not-found")) throw error;
    }
  }
  return { status: 200, json: { ContainersDeleted: deleted, SpaceReclaimed: bytes } };
}
