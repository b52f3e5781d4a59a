import { dlopen } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { must, type SyscallResult, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  eventfd: { args: ["u32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
  write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  // pidfd_open(2) has no wrapper in glibc 2.36's older siblings.
  syscall: { args: ["i64", "i64", "u64"], returns: "i64" },
});

export const epollEvents = { in: 0x1, out: 0x4, error: 0x8, hangUp: 0x10 } as const;

const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const [afUnix, seqpacket] = [1, 5];
const noSignal = 0x4000;
const shutdownWrite = 1;

/** A set of descriptors to wait for. epoll_event is packed: u32 events, u64 data. */
export class Epoll {
  readonly #fd = must(syscallResult(libc.epoll_create1(closeOnExec)), { doing: "make an epoll set" });
  readonly #events = Buffer.alloc(12 * 64);

  add(fd: number, events: number): void {
    this.#control(1, fd, events);
  }

  change(fd: number, events: number): void {
    this.#control(3, fd, events);
  }

  /** Closing a descriptor takes it out as well. */
  remove(fd: number): void {
    this.#control(2, fd, 0);
  }

  /** Sleeps in the kernel until one is ready, at most `timeout` ms (-1: for ever). */
  wait(timeout: number): { fd: number; events: number }[] {
    const count = syscallResult(libc.epoll_wait(this.#fd, this.#events, 64, timeout));
    return Array.from({ length: Math.max(0, count) }, (_none, at) => ({
      events: this.#events.readUInt32LE(at * 12),
      fd: this.#events.readInt32LE(at * 12 + 4),
    }));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #control(operation: number, fd: number, events: number): void {
    const event = Buffer.alloc(12);
    event.writeUInt32LE(events, 0);
    event.writeInt32LE(fd, 4);
    must(syscallResult(libc.epoll_ctl(this.#fd, operation, fd, event)), { doing: "watch a socket" });
  }
}

/** A counter that wakes whoever waits for it. */
export function makeEventFd(): number {
  return must(syscallResult(libc.eventfd(0, closeOnExec | nonBlocking)), { doing: "make an eventfd" });
}

const one = new BigUint64Array([1n]);

export function signalEventFd(fd: number): void {
  libc.write(fd, one, 8);
}

export function clearEventFd(fd: number): void {
  libc.read(fd, new BigUint64Array(1), 8);
}

/** A connected seqpacket socket, non-blocking. The path goes through its folder's descriptor: sun_path is short. */
export function connectSeqpacket(path: string): number {
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const fd = must(syscallResult(libc.socket(afUnix, seqpacket | closeOnExec | nonBlocking, 0)), {
      doing: "make a socket",
    });
    const name = Buffer.from(`/proc/self/fd/${folder}/${basename(path)}\0`);
    const address = Buffer.concat([Buffer.from([afUnix, 0]), name]);
    const result = syscallResult(libc.connect(fd, address, address.length));
    if (result < 0) closeSync(fd);
    must(result, { doing: "connect to", on: path });
    return fd;
  } finally {
    closeSync(folder);
  }
}

export function receive(fd: number, into: Uint8Array): SyscallResult {
  return syscallResult(libc.recv(fd, into, into.length, 0));
}

export function send(fd: number, bytes: Uint8Array): SyscallResult {
  return syscallResult(libc.send(fd, bytes, bytes.length, noSignal));
}

const sysPidfdOpen = 434;

/** A descriptor that becomes readable when the process ends, or minus an errno. Close-on-exec by itself. */
export function openProcess(pid: number): SyscallResult {
  return syscallResult(libc.syscall(sysPidfdOpen, pid, 0));
}

export function endWriting(fd: number): void {
  libc.shutdown(fd, shutdownWrite);
}
