import type { Dockerfile, Flag, Instruction, Range, Stage } from "#formats/dockerfile/contract.ts";
import { nearest } from "#formats/dockerfile/nearest.ts";
import type { Platform } from "#formats/oci/contract.ts";
import { parsePlatform } from "#formats/oci/platform.ts";
import type { Places } from "./places.ts";
import type { GlobalArgs } from "./variables.ts";

/** What a stage starts from, or a COPY --from reads. */
export type Origin =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  | { readonly kind: "image"; readonly reference: string; readonly platform: Platform };

export interface PlannedStage {
  readonly stage: Stage;
  readonly base: Origin;
  readonly platform: Platform;
}

/** The stages that the target needs, each after what it needs. Independent ones may be built side by side. */
export interface Graph {
  readonly target: number;
  readonly stages: readonly PlannedStage[];
}

export function planGraph(
  dockerfile: Dockerfile,
  options: { readonly target: string | undefined; readonly platform: Platform; readonly globals: GlobalArgs },
  places: Places,
): Graph {
  const { globals, platform } = options;
  const target = findTarget(dockerfile, options.target, places);
  const needed = new Set([target]);
  const planned: PlannedStage[] = [];
  // A stage only names earlier ones, so one pass from the back finds all that are needed.
  for (let index = target; index >= 0; index--) {
    if (!needed.has(index)) continue;
    const stage = dockerfile.stages[index]!;
    const base = stageBase(dockerfile, stage, platform, globals, places);
    if (base.kind === "stage") needed.add(base.index);
    for (const flag of stage.instructions.flatMap(fromFlags)) {
      const origin = namedOrigin(dockerfile, index, flag.name, flag.range, platform, places);
      if (origin.kind === "stage") needed.add(origin.index);
    }
    planned.push({ stage, base, platform: base.kind === "image" ? base.platform : platform });
  }
  return { target, stages: planned.reverse() };
}

function fromFlags(instruction: Instruction): { name: string; range: Range }[] {
  if (instruction.kind === "COPY" && instruction.from !== undefined) return [fromOf(instruction.from)];
  if (instruction.kind !== "RUN") return [];
  return instruction.mounts.flatMap((mount) =>
    mount.from === undefined ? [] : [{ name: mount.from, range: mount.range }],
  );
}

function fromOf(flag: Flag): { name: string; range: Range } {
  return { name: flag.value ?? "", range: flag.range };
}

function findTarget(dockerfile: Dockerfile, target: string | undefined, places: Places): number {
  const last = dockerfile.stages.length - 1;
  if (target === undefined || target === "") return last;
  const byName = dockerfile.stages.findLastIndex((stage) => stage.name === target.toLowerCase());
  if (byName >= 0) return byName;
  if (/^\d{1,9}$/.test(target) && Number(target) <= last) return Number(target);
  const names = dockerfile.stages.flatMap((stage) => (stage.name === undefined ? [] : [stage.name]));
  const near = nearest(target, names);
  throw places.wrong(
    dockerfile.stages[last]!.from.range,
    `there is no stage ${JSON.stringify(target)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    names.length === 0
      ? "No stage has a name; give one with FROM ... AS NAME."
      : `Stages are: ${names.slice(0, 20).join(", ")}.`,
    "not-found",
  );
}

function stageBase(
  dockerfile: Dockerfile,
  stage: Stage,
  platform: Platform,
  globals: GlobalArgs,
  places: Places,
): Origin {
  const name = places.word(stage.from.image, globals.lookup);
  const range = stage.from.image.range;
  if (name.trim() === "") {
    throw places.wrong(
      range,
      `FROM ${stage.from.image.text} is empty once its variables are filled in`,
      "Give the ARG a default, or a value by --build-arg.",
    );
  }
  if (name === "scratch") return { kind: "scratch" };
  const earlier = stageNamed(dockerfile, name, stage.index);
  if (earlier >= 0) return { kind: "stage", index: earlier };
  const flag = stage.from.flags.find((candidate) => candidate.name === "platform");
  const wanted = flag === undefined ? "" : places.text(flag.value ?? "", flag.range, globals.lookup);
  return {
    kind: "image",
    reference: name,
    platform: wanted === "" ? platform : readPlatform(wanted, flag?.range ?? range, places),
  };
}

function readPlatform(text: string, range: Range, places: Places): Platform {
  try {
    return parsePlatform(text);
  } catch {
    throw places.wrong(range, `${JSON.stringify(text)} is no platform`, "Write it as linux/amd64.");
  }
}

/** The last stage before `before` of that name; -1 when there is none. */
function stageNamed(dockerfile: Dockerfile, name: string, before: number): number {
  const wanted = name.toLowerCase();
  for (let index = before - 1; index >= 0; index--) {
    if (dockerfile.stages[index]!.name === wanted) return index;
  }
  return -1;
}

/** What `--from=NAME` of stage `index` means: an earlier stage by name or number, else an image. */
export function namedOrigin(
  dockerfile: Dockerfile,
  index: number,
  name: string,
  range: Range,
  platform: Platform,
  places: Places,
): Origin {
  if (name === "") throw places.wrong(range, "--from is empty", "Name a stage or an image.");
  if (name === "scratch") return { kind: "scratch" };
  const earlier = stageNamed(dockerfile, name, index);
  if (earlier >= 0) return { kind: "stage", index: earlier };
  if (/^\d{1,9}$/.test(name)) {
    if (Number(name) < index) return { kind: "stage", index: Number(name) };
    throw places.wrong(range, `stage ${name} is not before this one`, "A stage can only use earlier ones.");
  }
  const later = dockerfile.stages.findIndex((stage) => stage.name === name.toLowerCase());
  if (later === index) throw places.wrong(range, `stage ${name} cannot use itself`);
  if (later > index)
    throw places.wrong(range, `stage ${name} comes later`, "Move it up: a stage can only use earlier ones.");
  return { kind: "image", reference: name, platform };
}
