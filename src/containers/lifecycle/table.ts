import type { Database } from "#base/system/database/contract.ts";
import type { ContainerRecord, RunningNetwork } from "./contract.ts";

/** Steps for `migrate(database, "containers", steps)`; never edited once released. */
export const containerSchema: readonly string[] = [
  `CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];

/** The containers' rows. `record` is the whole record as JSON; id and name stand beside it to be unique. */
export class ContainerTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): ContainerRecord[] {
    return this.#database
      .all<{ record: string }>("SELECT record FROM containers ORDER BY created, id")
      .map((row) => upgraded(JSON.parse(row.record) as ContainerRecord));
  }

  insert(record: ContainerRecord): void {
    this.#database.transaction("containers.create", () => {
      this.#database.run(
        "INSERT INTO containers (id, name, created, record) VALUES (?, ?, ?, ?)",
        record.id,
        record.name,
        record.created,
        JSON.stringify(record),
      );
    });
  }

  /** `step` names the write in the kill tests: "start", "exit". */
  update(step: string, record: ContainerRecord): void {
    this.#database.transaction(`containers.${step}`, () => {
      this.#database.run(
        "UPDATE containers SET name = ?, record = ? WHERE id = ?",
        record.name,
        JSON.stringify(record),
        record.id,
      );
    });
  }

  delete(id: string): void {
    this.#database.transaction("containers.remove", () => {
      this.#database.run("DELETE FROM containers WHERE id = ?", id);
    });
  }
}

/** The one network of a container, as engines before named networks wrote it. */
interface OneNetwork {
  readonly namespace: string;
  readonly ports: RunningNetwork["ports"];
  readonly endpoints?: RunningNetwork["endpoints"];
  readonly address?: string;
  readonly prefixLength?: number;
  readonly gateway?: string;
  readonly mac?: string;
  readonly hostInterface?: string;
}

function upgraded(record: ContainerRecord): ContainerRecord {
  const network = record.network as OneNetwork | undefined;
  if (network === undefined || network.endpoints !== undefined) return record;
  const { namespace, ports, address, prefixLength = 16, gateway = "", mac = "", hostInterface = "" } = network;
  const common = { network: "", id: record.id, interface: "eth0", aliases: [], gatewayPriority: 0 };
  const endpoints = address === undefined ? [] : [{ ...common, address, prefixLength, gateway, mac, hostInterface }];
  return { ...record, network: { namespace, ports, endpoints } };
}
