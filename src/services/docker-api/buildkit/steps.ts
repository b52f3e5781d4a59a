import type { Clock } from "#base/core/clock.ts";
import type { BuildEvent } from "#build/contract.ts";
import type { Dockerfile, Stage } from "#formats/dockerfile/contract.ts";
import { failureText } from "./failure.ts";
import type { StatusLog } from "./status-log.ts";
import { Vertex } from "./vertices.ts";

/** What makes or changes files; clients number these and show no others. */
const shown = new Set(["FROM", "RUN", "COPY", "ADD", "WORKDIR"]);

/** A build's steps as vertices of a status log, named as BuildKit names them. */
export class BuildSteps {
  readonly #log: StatusLog;
  readonly #ref: string;
  readonly #clock: Clock;
  readonly #done = new Map<string, number>();
  #dockerfile: Dockerfile | undefined;
  #count = 0;
  #open: { readonly step: number; readonly vertex: Vertex; cached: boolean } | undefined;
  #last: Vertex | undefined;
  readonly totals = { steps: 0, cached: 0, warnings: 0 };

  constructor(log: StatusLog, ref: string, clock: Clock) {
    this.#log = log;
    this.#ref = ref;
    this.#clock = clock;
  }

  /** Work of the engine's own around the Dockerfile's steps, shown as one vertex. */
  async inside<T>(name: string, work: (told: Vertex["progress"]) => Promise<T>): Promise<T> {
    const vertex = this.#begin(name);
    const ids = new Map<string, number>();
    try {
      const result = await work((id, current, total, isDone) => {
        ids.set(id, current);
        vertex.progress(id, current, total, isDone);
      });
      for (const [id, current] of ids) vertex.progress(id, current, 0, true);
      vertex.done();
      return result;
    } catch (error) {
      vertex.done({ error: failureText(error) });
      throw error;
    }
  }

  /** The Dockerfile whose steps come now. */
  begin(dockerfile: Dockerfile, warnings: readonly string[]): void {
    this.#dockerfile = dockerfile;
    for (const text of warnings) this.#warn(text);
  }

  event(event: BuildEvent): void {
    if (event.type === "step") this.#step(event);
    else if (event.type === "warning") this.#warn(event.text);
    else if (event.type === "plan") this.totals.steps = event.steps;
    else if ("step" in event) this.#about(event);
  }

  /** Ends the step that was at work when the build ended so. */
  fail(error: unknown): void {
    this.#open?.vertex.done({ error: failureText(error) });
    this.#open = undefined;
  }

  #about(event: Exclude<BuildEvent, { type: "plan" | "step" | "warning" }>): void {
    if (event.type === "cached") this.totals.cached += 1;
    const open = this.#open;
    if (open === undefined || open.step !== event.step) return;
    if (event.type === "log") open.vertex.say(event.stream === "stdout" ? 1 : 2, Uint8Array.from(event.bytes));
    else if (event.type === "cached") open.cached = true;
    else if (event.type === "progress") {
      open.vertex.progress(event.what, event.done, event.total, event.done === event.total);
    } else if (event.type === "done") {
      open.vertex.done(open.cached ? { cached: true } : {});
      this.#open = undefined;
    }
  }

  #step({ step, stage, text }: Extract<BuildEvent, { type: "step" }>): void {
    this.#open = undefined;
    const word = text.trimStart().split(/\s/, 1)[0]!.toUpperCase();
    if (!shown.has(word)) return;
    const at = (this.#done.get(stage) ?? 0) + 1;
    this.#done.set(stage, at);
    const stages = this.#dockerfile?.stages ?? [];
    const of = Math.max(at, countOf(stages.find((candidate) => nameOf(candidate) === stage)));
    const prefix = stages.length > 1 ? `${stage} ` : "";
    const vertex = this.#begin(`[${prefix}${at}/${of}] ${text}`);
    this.#open = { step, vertex, cached: false };
  }

  #warn(text: string): void {
    this.totals.warnings += 1;
    (this.#last ?? this.#begin("[internal] warnings")).warn(text);
  }

  #begin(name: string): Vertex {
    this.#count += 1;
    this.#last = new Vertex(this.#log, this.#ref, this.#count, name, () => this.#clock.now());
    return this.#last;
  }
}

function nameOf(stage: Stage): string {
  return stage.name ?? `stage-${stage.index}`;
}

function countOf(stage: Stage | undefined): number {
  return 1 + (stage?.instructions ?? []).filter(({ kind }) => shown.has(kind)).length;
}
