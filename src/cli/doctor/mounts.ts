/** What is needed of one line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly shared: boolean;
}

export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const words = line.split(" ");
    const dash = words.indexOf("-", 6);
    if (dash < 0) return [];
    const point = words[4]!.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    return [{ point, type: words[dash + 1]!, shared: words.slice(6, dash).some((word) => word.startsWith("shared:")) }];
  });
}

/** The mount a path is on: the longest mount point above it, of two on the same point the later. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const above = mount.point === "/" || path === mount.point || path.startsWith(`${mount.point}/`);
    if (above && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}
