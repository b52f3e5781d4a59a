import { GantryError, isKind } from "#base/core/errors.ts";
import type { ContainerRecord } from "#containers/lifecycle/contract.ts";
import { endpointsOf } from "#containers/lifecycle/networking.ts";
import type { Engine } from "#engine/contract.ts";
import { onlyFilters } from "../call.ts";
import { hasLabel } from "../labels.ts";
import { moment } from "../moment.ts";
import { storedRequest } from "./container.ts";

type Test = (engine: Engine, record: ContainerRecord, value: string) => boolean;

/** An image that is not here has no containers; that is no error. */
function imageOf(engine: Engine, name: string): string | undefined {
  try {
    return engine.store.images.resolve(name).id;
  } catch (error) {
    if (isKind(error, "not-found") || isKind(error, "invalid")) return undefined;
    throw error;
  }
}

function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new GantryError("invalid", { doing: "filter by name", on: text, because: "it is no pattern", cause });
  }
}

function createdOf(engine: Engine, id: string): number {
  return engine.containers.get(id).created;
}

const tests: Readonly<Record<string, Test>> = {
  id: (_engine, record, value) => record.id.startsWith(value),
  name: (_engine, record, value) => namePattern(value).test(record.name) || namePattern(value).test(`/${record.name}`),
  status: (_engine, record, value) => record.state.status === value,
  exited: (_engine, record, value) => record.state.status === "exited" && record.state.exitCode === Number(value),
  label: (_engine, record, value) => hasLabel(storedRequest(record).config.Labels ?? {}, value),
  "label!": (_engine, record, value) => !hasLabel(storedRequest(record).config.Labels ?? {}, value),
  ancestor: (engine, record, value) =>
    storedRequest(record).image === value || record.image === value || imageOf(engine, value) === record.image,
  volume: (_engine, record, value) =>
    storedRequest(record).mounts.some((mount) => mount.Name === value || mount.Destination === value),
  network: (_engine, record, value) =>
    record.sandbox.network.kind === value || endpointsOf(record.sandbox).some(({ network }) => network === value),
  expose: (_engine, record, value) =>
    Object.keys(storedRequest(record).config.ExposedPorts ?? {}).some(
      (port) => port === value || port === `${value}/tcp`,
    ),
  "is-task": (_engine, _record, value) => value === "false",
  publish: (_engine, record, value) =>
    (record.network?.ports ?? []).some((port) => `${port.hostPort}` === value.split("/")[0]),
  before: (engine, record, value) => record.created < createdOf(engine, value),
  since: (engine, record, value) => record.created > createdOf(engine, value),
  health: (_engine, record, value) => (record.health?.status ?? "none") === value,
  until: (_engine, record, value) => record.created < moment(value, "filter by until"),
};

/** Error "invalid" for a filter that is not known, also where there is no container to ask about. */
export function checkFilters(wanted: ReadonlyMap<string, readonly string[]>): void {
  onlyFilters(
    "containers",
    wanted,
    Object.keys(tests).filter((name) => name !== "label!"),
  );
}

/** Values of one filter are alternatives (labels: all); different filters must all hold. After checkFilters. */
export function matchesFilters(
  engine: Engine,
  record: ContainerRecord,
  wanted: ReadonlyMap<string, readonly string[]>,
): boolean {
  for (const [name, values] of wanted) {
    const holds = (value: string) => tests[name]!(engine, record, value);
    if (!(name.startsWith("label") ? values.every(holds) : values.some(holds))) return false;
  }
  return true;
}
