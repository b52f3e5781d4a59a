/**
 * Faults as a port: every write that must be old-or-new after a crash names itself here first, so that a test can
 * stop the process at each of them in turn.
 */
export interface Faults {
  /** Called right before the write `point` ("store.blob.rename") happens. */
  at(point: string): void;
}

export const noFaults: Faults = { at: () => undefined };

/** Ends the process with SIGKILL at its `nth` write point (1 is the first); `log` sees each point passed. */
export function killAtWrite(nth: number, log: (point: string, count: number) => void = () => undefined): Faults {
  let count = 0;
  return {
    at: (point) => {
      count += 1;
      log(point, count);
      if (count === nth) process.kill(process.pid, "SIGKILL");
    },
  };
}
