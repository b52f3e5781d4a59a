import { GantryError, toRecord } from "#base/core/errors.ts";
import type { Implementation, TaskContext } from "./contract.ts";
import type { Answer, RunMessage } from "./messages.ts";

declare const self: {
  onmessage: ((event: MessageEvent<RunMessage>) => void) | null;
  postMessage(answer: Answer): void;
};

/** Makes this Worker answer for `implementations`; called once, by a Worker's entry file. */
export function serveTasks(implementations: readonly Implementation[]): void {
  const byName = new Map<string, Implementation>();
  for (const implementation of implementations) {
    if (byName.has(implementation.name)) throw new Error(`two implementations of the task ${implementation.name}`);
    byName.set(implementation.name, implementation);
  }
  self.onmessage = (event) => {
    void answer(byName, event.data);
  };
}

async function answer(byName: ReadonlyMap<string, Implementation>, message: RunMessage): Promise<void> {
  const { id, task } = message;
  try {
    const implementation = byName.get(task);
    if (implementation === undefined) {
      throw new GantryError("internal", { doing: "run the task", on: task, because: "this Worker does not serve it" });
    }
    const given = implementation.run(message.args, contextOf(message));
    // No await for a plain value: it would cost a turn of the loop.
    self.postMessage({ kind: "done", id, value: given instanceof Promise ? await given : given });
  } catch (error) {
    self.postMessage({ kind: "failed", id, error: toRecord(error) });
  }
}

function contextOf({ id, task, flag, wantsProgress }: RunMessage): TaskContext {
  const word = new Int32Array(flag);
  const aborted = () => Atomics.load(word, 0) !== 0;
  return {
    aborted,
    check: () => {
      if (aborted())
        throw new GantryError("cancelled", { doing: "finish the task", on: task, because: "it was aborted" });
    },
    progress: (value) => {
      if (wantsProgress) self.postMessage({ kind: "progress", id, value });
    },
  };
}
