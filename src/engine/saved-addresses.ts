import type { Database } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";

/** Where registries are to be served, whatever becomes of the process. */
export interface SavedAddresses {
  list(): string[];
  add(address: string): void;
  /** False: it was not there. */
  remove(address: string): boolean;
}

export function savedAddresses(database: Database): SavedAddresses {
  migrate(database, "registry-addresses", ["CREATE TABLE registry_addresses (address TEXT PRIMARY KEY) STRICT"]);
  return {
    list: () =>
      database
        .all<{ address: string }>("SELECT address FROM registry_addresses ORDER BY address")
        .map(({ address }) => address),
    add: (address) => void database.run("INSERT OR IGNORE INTO registry_addresses VALUES (?)", address),
    remove: (address) => database.run("DELETE FROM registry_addresses WHERE address = ?", address) > 0,
  };
}

/** For a registry that its own command line serves: it ends with the process. */
export function unsavedAddresses(): SavedAddresses {
  const addresses = new Set<string>();
  return {
    list: () => [...addresses].sort(),
    add: (address) => void addresses.add(address),
    remove: (address) => addresses.delete(address),
  };
}
