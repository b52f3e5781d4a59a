import { GantryError } from "#base/core/errors.ts";
import type { ResolvedUser } from "./contract.ts";

/** The text of a root's /etc/passwd and /etc/group; empty when missing. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The kernel keeps the upper half of the range for itself ((uid_t)-1 means "no change"). */
const largestId = 2 ** 31 - 1;

/**
 * Resolves `USER`: "", "name", "uid", each with ":group" or ":gid". A name must be in the root's files; a number need
 * not be. Without a group, the account's own and those that list it as a member.
 * Errors: "invalid" for an id out of range, "not-found" for an unknown name.
 */
export function resolveUser(user: string, additionalGroups: readonly string[], files: AccountFiles): ResolvedUser {
  const [userWord = "", groupWord, more] = user.split(":");
  if (more !== undefined) throw invalid("user", user, 'it has more than one ":"');
  const accounts = parsePasswd(files.passwd);
  const groups = parseGroup(files.group);
  const account = findAccount(userWord === "" ? "0" : userWord, accounts);
  const gid = groupWord === undefined || groupWord === "" ? account.gid : findGroup(groupWord, groups);
  const memberships =
    groupWord === undefined || groupWord === ""
      ? groups.filter((group) => group.members.includes(account.name)).map((group) => group.gid)
      : [];
  const added = additionalGroups.map((word) => findGroup(word, groups));
  return {
    uid: account.uid,
    gid,
    // The own group is among them, so that dropping it is not a way round a file's group bits (CVE-2022-36109).
    additionalGids: [...new Set([gid, ...memberships, ...added])],
    home: account.home,
  };
}

function findAccount(word: string, accounts: readonly Account[]): Account {
  const byName = accounts.find((account) => account.name === word);
  if (byName !== undefined) return byName;
  const uid = numeric("user", word);
  if (uid === undefined) throw unknown("user", word, "passwd");
  const byId = accounts.find((account) => account.uid === uid);
  return byId ?? { name: "", uid, gid: 0, home: "/" };
}

function findGroup(word: string, groups: readonly Group[]): number {
  const byName = groups.find((group) => group.name === word);
  if (byName !== undefined) return byName.gid;
  const gid = numeric("group", word);
  if (gid === undefined) throw unknown("group", word, "group");
  return gid;
}

/** undefined for a word that is no number at all; refused when it is one out of range. */
function numeric(what: "user" | "group", word: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(word)) return undefined;
  const id = Number(word);
  if (word.startsWith("-") || word.startsWith("+") || id > largestId) {
    throw invalid(what, word, `ids go from 0 to ${largestId}`);
  }
  return id;
}

function parsePasswd(text: string): Account[] {
  return lines(text).flatMap((fields) => {
    const [name, , uid, gid, , home] = fields;
    if (!name || !isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home?.startsWith("/") ? home : "/" }];
  });
}

function parseGroup(text: string): Group[] {
  return lines(text).flatMap((fields) => {
    const [name, , gid, members] = fields;
    if (!name || !isId(gid)) return [];
    return [{ name, gid: Number(gid), members: (members ?? "").split(",").filter((member) => member !== "") }];
  });
}

function lines(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

/** A line with an id out of range is as if it were not there: it must never become another id. */
function isId(word: string | undefined): word is string {
  return word !== undefined && /^[0-9]{1,10}$/.test(word) && Number(word) <= largestId;
}

function invalid(what: string, word: string, because: string): GantryError {
  return new GantryError("invalid", { doing: `use the ${what}`, on: word, because });
}

function unknown(what: string, word: string, file: string): GantryError {
  return new GantryError("not-found", {
    doing: `find the ${what}`,
    on: word,
    because: `the image's /etc/${file} has no such ${what}`,
    next: `Name one that is there, or use its number.`,
  });
}
