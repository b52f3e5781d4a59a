import { readFileSync } from "node:fs";

let confined: boolean | undefined;

/**
 * Whether this process's root is root only in a user namespace: then it makes no devices, sets no trusted.*
 * attributes and gives files no ids but those mapped.
 */
export function inUserNamespace(): boolean {
  confined ??= isConfined(readFileSync("/proc/self/uid_map", "utf8"));
  return confined;
}

/** The first namespace maps every id to itself; user_namespaces(7). */
export function isConfined(uidMap: string): boolean {
  return uidMap.trim().split(/\s+/).join(" ") !== "0 0 4294967295";
}
