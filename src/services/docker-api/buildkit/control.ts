import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import { hostPlatform } from "#formats/oci/platform.ts";
import type { Sessions } from "./contract.ts";
import { failureText, grpcFailure } from "./failure.ts";
import { wantedBy } from "./frontend.ts";
import type { Job, Jobs } from "./jobs.ts";
import { openSession } from "./open-session.ts";
import type { Control, SolveRequest } from "./protos/control.gen.ts";
import { solve } from "./solve.ts";
import { tunnel } from "./tunnel.ts";

const historyEvents = { started: 0, complete: 1 } as const;

/** The service clients build with. */
export function control(engine: Engine, sessions: Sessions, jobs: Jobs): ServiceImpl<typeof Control> {
  const version = { package: "gantry", version: engine.facts.version, revision: engine.facts.commit };
  return {
    info: () => ({ buildkitVersion: version }),
    listWorkers: () => ({
      record: [{ id: engine.facts.id, labels: {}, platforms: [platform()], buildkitVersion: version }],
    }),
    // Layers of cached steps are counted where they are kept, with the images'.
    diskUsage: () => ({ record: [] }),
    async *prune({ filter, keepDuration }) {
      if (filter.some((text) => text !== "")) throw grpcFailure(noFilter(filter));
      const before = keepDuration === 0n ? undefined : systemClock.now() - Number(keepDuration / 1_000_000n);
      const forgotten = await engine.builder.pruneCache(before);
      for (let step = 1; step <= forgotten; step += 1) yield { id: `step ${step}` };
    },
    async solve(request, { signal }) {
      const job = jobs.open(request);
      try {
        const result = await answer(engine, sessions, job, signal);
        jobs.end(job, { result });
        return { exporterResponse: { ...result } };
      } catch (cause) {
        // Whatever broke when the client left, it left.
        const error = signal.aborted
          ? new GantryError("cancelled", { doing: "build", because: "the client left", cause })
          : cause;
        jobs.end(job, { error: failureText(error) });
        throw grpcFailure(error, job.dockerfile);
      }
    },
    async *status({ ref }, { signal }) {
      yield* (await jobs.find(ref, signal)).log.read(signal);
    },
    // Sessions that several builds share come this way, not through the engine's own /session.
    async *session(incoming, { requestHeader }) {
      const { socket, outgoing } = tunnel(incoming);
      const ended = sessions
        .hold(...openSession(socket, Object.fromEntries(requestHeader)))
        .then(() => undefined, grpcFailure)
        .finally(() => socket.destroy());
      yield* outgoing;
      const failure = await ended;
      if (failure !== undefined) throw failure;
    },
    async *listenBuildHistory({ ref, activeOnly, earlyExit }, { signal }) {
      const wanted = (job: Job) =>
        (ref === "" || ref === job.request.ref) && !(activeOnly && job.outcome !== undefined);
      const news = jobs.list().filter(wanted);
      let wake: () => void = () => undefined;
      const stop = jobs.watch((job) => {
        if (wanted(job)) news.push(job);
        wake();
      });
      signal.addEventListener("abort", () => wake());
      try {
        while (!signal.aborted) {
          const job = news.shift();
          if (job !== undefined) yield event(job);
          else if (earlyExit) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        stop();
      }
    },
    updateBuildHistory({ ref, delete: remove }) {
      if (remove) jobs.forget(ref);
      return {};
    },
  };
}

async function answer(engine: Engine, sessions: Sessions, job: Job, signal: AbortSignal) {
  refuseGraphs(job.request);
  const { frontend, frontendAttrs } = job.request;
  const wanted = frontend === "" ? await returned(job, signal) : wantedBy(frontend, frontendAttrs);
  return wanted === undefined ? {} : await solve(engine, sessions, job, wanted, signal);
}

function refuseGraphs({ definition, frontendInputs }: SolveRequest): void {
  if ((definition?.def.length ?? 0) === 0 && Object.keys(frontendInputs).length === 0) return;
  throw new GantryError("unsupported", {
    doing: "build",
    because: "it is given as BuildKit's own graph (LLB), and this builder reads Dockerfiles",
    next: "Build from a Dockerfile and a local folder.",
  });
}

function noFilter(filter: readonly string[]): GantryError {
  return new GantryError("unsupported", {
    doing: "prune the build cache by",
    on: filter.join(","),
    because: "cached steps are only known by when they were used",
    next: "Leave the filter out, or use: --filter until=24h",
  });
}

function returned(job: Job, signal: AbortSignal): Job["returned"]["promise"] {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    job.returned.promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

function platform() {
  const { os, architecture, variant = "" } = hostPlatform();
  return { os, architecture, variant };
}

function event(job: Job) {
  const { request, outcome, steps, created } = job;
  const { ref, frontend, frontendAttrs, exporters } = request;
  return {
    type: outcome === undefined ? historyEvents.started : historyEvents.complete,
    record: {
      ref,
      frontend,
      frontendAttrs,
      exporters,
      createdAt: timestampFromMs(created),
      ...(outcome === undefined ? {} : { completedAt: timestampFromMs(outcome.at) }),
      ...(outcome?.error === undefined ? {} : { error: { code: 2, message: outcome.error } }),
      exporterResponse: { ...outcome?.result },
      numTotalSteps: steps.totals.steps,
      numCachedSteps: steps.totals.cached,
      numCompletedSteps: outcome === undefined ? 0 : steps.totals.steps,
      numWarnings: steps.totals.warnings,
    },
  };
}
