/** The words that start this very program again: the one-file binary, or Bun with the main script. */
export function selfCommand(): readonly string[] {
  return isBinary() ? [process.execPath] : [process.execPath, Bun.main];
}

/** Whether this is the one-file binary, whose files stand in Bun's embedded file system. */
export function isBinary(): boolean {
  return Bun.main.startsWith("/$bunfs/") || Bun.main.startsWith("B:/~BUN/");
}
