import { fstatSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * The files of one container's log.
 *
 *   log            what conmon writes; at the size it was given it begins anew there
 *   segments/<n>   a second name of every file that is kept, counting up; the newest is also "log"
 *   log.tmp        the file conmon takes next, made ahead, so that it too has its second name before its first line
 *
 * conmon begins anew by opening "log.tmp" and renaming it over "log". Having their second names early, files lose
 * nothing at that moment and nobody stands between the container and its log. A log that is not kept in several
 * files is "log" alone.
 */
export interface LogPlace {
  readonly log: string;
  readonly nextLog: string;
  readonly segments: string;
}

/** One file of a log, open: it can be read to its end whatever becomes of its names. */
export interface LogFile {
  /** 0 for a "log" without a second name. */
  readonly number: number;
  readonly fd: number;
  readonly inode: number;
}

/** The numbers of the kept files, oldest first. */
export function segmentNumbers(place: LogPlace): number[] {
  try {
    return readdirSync(place.segments)
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function segmentPath(place: LogPlace, number: number): string {
  return join(place.segments, String(number));
}

/** The file "log" is now; undefined when there is none. */
export function liveInode(place: LogPlace): number | undefined {
  return inodeOf(place.log);
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

export interface LogSurvey {
  /** Second names of files that conmon has begun, oldest first. */
  readonly begun: readonly number[];
  /** Whether the next file is made and waits for conmon. */
  readonly ahead: boolean;
  /** The second name "log" has, or is to get; undefined without a "log". */
  readonly current: number | undefined;
  readonly named: boolean;
}

export function survey(place: LogPlace): LogSurvey {
  const numbers = segmentNumbers(place);
  const newest = numbers.at(-1) ?? 0;
  const made = newest > 0 ? inodeOf(segmentPath(place, newest)) : undefined;
  // "log" is asked last: if conmon takes the file made ahead meanwhile, it is seen as taken.
  const waiting = inodeOf(place.nextLog);
  const live = liveInode(place);
  const ahead = made !== undefined && made !== live && made === waiting;
  const begun = ahead ? numbers.slice(0, -1) : numbers;
  const found = begun.findLast((number) => inodeOf(segmentPath(place, number)) === live);
  // One number before the file made ahead is left free for a turn that came while it was made.
  const current = live === undefined ? undefined : (found ?? (ahead ? newest - 1 : newest + 1));
  return { begun, ahead, current, named: found !== undefined };
}

export function openLogFile(path: string, number: number): LogFile | undefined {
  try {
    const fd = openSync(path, "r");
    return { number, fd, inode: fstatSync(fd).ino };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * All files behind `after` that conmon has begun, oldest first. A newest one without its second name is among them
 * when it is `settled`: while conmon writes, the name it will get may go to another before it is opened.
 */
export function openLogFiles(place: LogPlace, after: number, settled: boolean): LogFile[] {
  const { begun, current, named } = survey(place);
  if (begun.length === 0) return present([openLogFile(place.log, 0)]);
  // The oldest may have been dropped since the folder was listed.
  const files = begun
    .filter((number) => number > after)
    .map((number) => openLogFile(segmentPath(place, number), number));
  if (settled && !named && current !== undefined && current > after) files.push(openLogFile(place.log, current));
  return present(files);
}

function present(files: readonly (LogFile | undefined)[]): LogFile[] {
  return files.filter((file) => file !== undefined);
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
