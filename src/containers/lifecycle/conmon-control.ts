import { closeSync, constants, openSync, writeSync } from "node:fs";

/** A line to conmon's control fifo, "<command> <number> <number>\n". False: it has ended, nobody reads there. */
export function tellConmon(control: string, line: string): boolean {
  let fd: number;
  try {
    fd = openSync(control, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENXIO" || code === "ENOENT") return false;
    throw error;
  }
  try {
    writeSync(fd, line);
    return true;
  } finally {
    closeSync(fd);
  }
}
