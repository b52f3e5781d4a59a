/** Fewer leave no id for many an image's "nobody", 65534. */
export const enoughIds = 65_536;

/** How many ids /etc/subuid or /etc/subgid gives a user: subuid(5), lines of "name or uid:first:count". */
export function subordinateIds(text: string, user: string, uid: number): number {
  let count = 0;
  for (const line of text.split("\n")) {
    const [owner, , length] = line.trim().split(":");
    if (length !== undefined && (owner === user || owner === String(uid))) count += Number(length) || 0;
  }
  return count;
}
