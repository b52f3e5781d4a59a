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

/** Asked of the system, which may keep users elsewhere than in a file; what Bun says is $USER. */
export function ownUserName(): string {
  const { exitCode, stdout } = Bun.spawnSync(["id", "-un"], { stdio: ["ignore", "pipe", "ignore"] });
  return exitCode === 0 ? stdout.toString().trim() : String(process.getuid?.() ?? 0);
}
