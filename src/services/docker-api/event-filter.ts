import type { EventMessage } from "#formats/docker/contract.ts";
import { hasLabel } from "./labels.ts";

type Test = (message: EventMessage, value: string) => boolean;

/** Of the thing the event is about, by the beginning of its id or by its name. */
const about =
  (type: string): Test =>
  ({ Type, Actor }, value) =>
    Type === type && (Actor.ID.startsWith(value) || Actor.Attributes.name === value);

/** A container's event tells its image too. */
const image: Test = ({ Type, Actor: { ID, Attributes } }, value) => {
  const name = Type === "image" ? Attributes.name : Attributes.image;
  if (Type === "image" && ID.startsWith(value)) return true;
  return name !== undefined && (name === value || name.replace(/(:[^/:]+|@.+)$/, "") === value);
};

const tests: Readonly<Record<string, Test>> = {
  config: about("config"),
  container: about("container"),
  daemon: about("daemon"),
  event: ({ Action }, value) => Action === value || Action.startsWith(`${value}:`),
  image,
  label: ({ Actor }, value) => hasLabel(Actor.Attributes, value),
  network: about("network"),
  node: about("node"),
  plugin: about("plugin"),
  scope: ({ scope }, value) => scope === value,
  secret: about("secret"),
  service: about("service"),
  type: ({ Type }, value) => Type === value,
  volume: about("volume"),
};

export const knownEventFilters: readonly string[] = Object.keys(tests);

/** Values of one filter are alternatives (labels: all of them); different filters must all hold. */
export function eventMatcher(wanted: ReadonlyMap<string, readonly string[]>): (message: EventMessage) => boolean {
  return (message) =>
    [...wanted].every(([name, values]) => {
      const holds = (value: string) => tests[name]!(message, value);
      return name === "label" ? values.every(holds) : values.some(holds);
    });
}
