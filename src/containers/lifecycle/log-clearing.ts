import { rmSync } from "node:fs";
import { tellConmon } from "./conmon-control.ts";
import type { Context, Entry } from "./context.ts";
import { type LogPlace, liveInode, segmentNumbers, segmentPath, survey } from "./log-files.ts";
import { logNaming } from "./log-naming.ts";

/** conmon opens "log" anew (see log-files.ts) and says nothing: that another file has its name is the answer. */
const openAnew = "2 0 0\n";

/** See `Containers.clearLogs`. A follower goes on with what is written next. */
export async function clearLog(context: Context, entry: Entry): Promise<void> {
  const { place } = entry.log;
  const written = (await openedAnew(context, entry)) ?? everything(place);
  for (const path of written) rmSync(path, { force: true });
  entry.log.rotation?.turned();
}

function everything(place: LogPlace): string[] {
  return [place.log, place.nextLog, ...segmentNumbers(place).map((number) => segmentPath(place, number))];
}

/** The files conmon has left; undefined when nothing writes the log (any more). */
async function openedAnew(context: Context, entry: Entry): Promise<readonly string[] | undefined> {
  const { place, rotation } = entry.log;
  const ended = entry.log.untilEnd();
  if (ended === undefined) return undefined;
  const turned = Promise.withResolvers<readonly string[]>();
  let asked: { readonly inode: number | undefined; readonly written: readonly string[] } | undefined;
  // Told only once the folder is watched, or its answer could be missed; and once every file has its name.
  await using _watch = context.packets.watchArrivals(
    entry.paths.data,
    () => {
      if (asked === undefined) {
        const written = survey(place).begun.map((number) => segmentPath(place, number));
        const inode = liveInode(place);
        if (tellConmon(entry.paths.control, openAnew)) asked = { inode, written };
      } else if (liveInode(place) !== asked.inode) turned.resolve(asked.written);
    },
    rotation === undefined ? undefined : logNaming.name,
  );
  return await Promise.race([turned.promise, ended.then(() => undefined)]);
}
