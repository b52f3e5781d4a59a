import { GantryError } from "#base/core/errors.ts";
import type { ContainerRecord, Status } from "./contract.ts";

export const verbs = [
  "start",
  "stop",
  "kill",
  "pause",
  "unpause",
  "rename",
  "remove",
  "resize",
  "attach",
  "exec",
  "wait",
  "logs",
  "stats",
  "top",
] as const;

export type Verb = (typeof verbs)[number];

/** What a verb means in a state: do it, it is done already, or refuse and say why. */
export type Ruling = "do" | "done" | { readonly refuse: string; readonly next?: string };

const notRunning: Ruling = { refuse: "it is not running", next: "Start it first." };
const leaving: Ruling = { refuse: "it is being removed" };
const between: Ruling = { refuse: "it is restarting", next: "Wait until it runs." };
const frozen: Ruling = { refuse: "it is paused", next: "Unpause it first." };

/** Every state against every verb; the matrix test walks it. */
export const rulings: Readonly<Record<Status, Readonly<Record<Verb, Ruling>>>> = {
  created: {
    start: "do",
    stop: "done",
    kill: notRunning,
    pause: notRunning,
    unpause: notRunning,
    rename: "do",
    remove: "do",
    resize: notRunning,
    attach: "do",
    exec: notRunning,
    wait: "do",
    logs: "do",
    stats: "do",
    top: notRunning,
  },
  running: {
    start: "done",
    stop: "do",
    kill: "do",
    pause: "do",
    unpause: { refuse: "it is not paused" },
    rename: "do",
    remove: { refuse: "it is running", next: "Stop it first, or remove it with force." },
    resize: "do",
    attach: "do",
    exec: "do",
    wait: "do",
    logs: "do",
    stats: "do",
    top: "do",
  },
  paused: {
    start: frozen,
    stop: "do",
    kill: "do",
    pause: { refuse: "it is paused already" },
    unpause: "do",
    rename: "do",
    remove: { refuse: "it is paused", next: "Unpause and stop it first, or remove it with force." },
    resize: "do",
    attach: frozen,
    exec: frozen,
    wait: "do",
    logs: "do",
    stats: "do",
    top: "do",
  },
  restarting: {
    start: "done",
    stop: "do",
    kill: "do",
    pause: between,
    unpause: between,
    rename: "do",
    remove: { refuse: "it is restarting", next: "Stop it first, or remove it with force." },
    resize: between,
    attach: between,
    exec: between,
    wait: "do",
    logs: "do",
    stats: "do",
    top: between,
  },
  exited: {
    start: "do",
    stop: "done",
    kill: notRunning,
    pause: notRunning,
    unpause: notRunning,
    rename: "do",
    remove: "do",
    resize: notRunning,
    // For the next start: `start -a` joins first, so that no output is lost.
    attach: "do",
    exec: notRunning,
    wait: "do",
    logs: "do",
    stats: "do",
    top: notRunning,
  },
  removing: {
    start: leaving,
    stop: "done",
    kill: leaving,
    pause: leaving,
    unpause: leaving,
    rename: leaving,
    remove: "do",
    resize: leaving,
    attach: leaving,
    exec: leaving,
    wait: "do",
    logs: leaving,
    stats: leaving,
    top: leaving,
  },
};

/** True: do it. False: nothing to do. Errors: "conflict" naming container, state and what to do. */
export function rule(record: ContainerRecord, verb: Verb): boolean {
  const ruling = rulings[record.state.status][verb];
  if (ruling === "do") return true;
  if (ruling === "done") return false;
  throw new GantryError("conflict", {
    doing: `${verb} the container`,
    on: record.name,
    because: ruling.refuse,
    ...(ruling.next === undefined ? {} : { next: ruling.next }),
    details: { status: record.state.status },
  });
}
