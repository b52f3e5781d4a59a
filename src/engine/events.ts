import type { Clock } from "#base/core/clock.ts";
import { isKind } from "#base/core/errors.ts";
import type { Database, MigrationStep } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { EngineEvent, EventLog } from "./contract.ts";

const kept = 100_000;
/** The oldest are looked for once in so many. */
const trimEvery = 1000;

const steps: readonly MigrationStep[] = [
  `CREATE TABLE events (time INTEGER PRIMARY KEY, type TEXT NOT NULL, action TEXT NOT NULL, id TEXT NOT NULL,
     attributes TEXT NOT NULL)`,
];

interface Row {
  readonly time: bigint;
  readonly type: EngineEvent["type"];
  readonly action: string;
  readonly id: string;
  readonly attributes: string;
}

/** The largest integer SQLite holds. */
const forever = "9223372036854775807";

function nanoseconds(milliseconds: number): string {
  return (BigInt(Math.floor(milliseconds)) * 1_000_000n).toString();
}

/**
 * Each event is written before anybody hears of it, so a killed engine loses none. On a full disk they wait in memory
 * for the next that can be written: no verb fails for its event's sake. Times are unique and ascend.
 */
export function openEventLog(database: Database, clock: Clock): EventLog & AsyncDisposable {
  migrate(database, "events", steps);
  const listeners = new Set<(event: EngineEvent) => void>();
  const newest = database.get<{ time: string | null }>("SELECT CAST(MAX(time) AS TEXT) AS time FROM events");
  let last = BigInt(newest?.time ?? 0);
  let unwritten: EngineEvent[] = [];
  let written = 0;

  function write(): void {
    try {
      database.transaction("events.append", () => {
        for (const event of unwritten) insert(event);
        written += unwritten.length;
        if (written >= trimEvery) trim();
      });
      unwritten = [];
    } catch (error) {
      if (!isKind(error, "exhausted")) throw error;
      unwritten = unwritten.slice(-kept);
    }
  }

  function insert({ timeNano, type, action, id, attributes }: EngineEvent): void {
    database.run(
      "INSERT INTO events VALUES (CAST(? AS INTEGER), ?, ?, ?, ?)",
      timeNano.toString(),
      type,
      action,
      id,
      JSON.stringify(attributes),
    );
  }

  function trim(): void {
    written = 0;
    database.run(
      "DELETE FROM events WHERE time <= (SELECT time FROM events ORDER BY time DESC LIMIT 1 OFFSET ?)",
      kept,
    );
  }

  function stored(since: number, until: number | undefined): EngineEvent[] {
    return database
      .all<Omit<Row, "time"> & { time: string }>(
        "SELECT CAST(time AS TEXT) AS time, type, action, id, attributes FROM events WHERE time >= CAST(? AS INTEGER) AND time <= CAST(? AS INTEGER) ORDER BY time",
        nanoseconds(since),
        until === undefined ? forever : nanoseconds(until),
      )
      .map((row) => ({
        ...row,
        timeNano: BigInt(row.time),
        attributes: JSON.parse(row.attributes) as Record<string, string>,
      }));
  }

  return {
    listeners: () => listeners.size,
    publish(event) {
      const now = BigInt(clock.now()) * 1_000_000n;
      last = now > last ? now : last + 1n;
      const complete: EngineEvent = { ...event, timeNano: last };
      unwritten.push(complete);
      write();
      for (const tell of listeners) tell(complete);
    },
    async *read({ since, until, signal }) {
      const queue: EngineEvent[] = [];
      let wake: () => void = () => undefined;
      const listener = (event: EngineEvent) => {
        queue.push(event);
        wake();
      };
      listeners.add(listener);
      const over = () => wake();
      signal.addEventListener("abort", over);
      const end = until === undefined ? undefined : setTimeout(over, Math.max(0, until - clock.now()));
      try {
        // The past is read after the listener stands, so nothing falls between; what both saw is given once.
        let given = 0n;
        for (const event of since === undefined ? [] : stored(since, until)) {
          given = event.timeNano;
          yield event;
        }
        for (;;) {
          const next = queue.shift();
          if (next !== undefined) {
            if (until !== undefined && next.timeNano > BigInt(nanoseconds(until))) return;
            if (next.timeNano > given) yield next;
          } else if (signal.aborted || (until !== undefined && clock.now() >= until)) return;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener("abort", over);
        clearTimeout(end);
      }
    },
    async [Symbol.asyncDispose]() {
      if (unwritten.length > 0) write();
    },
  };
}
