import { closeSync } from "node:fs";
import { receiveMessageOnPort } from "node:worker_threads";
import { toRecord } from "#base/core/errors.ts";
import { errnoByName, syscallError } from "#base/system/libc/errno.ts";
import { TableWatch } from "#base/system/netlink/table-watch.ts";
import { type ArrivalWork, packetWindow } from "./contract.ts";
import { clearEventFd, connectSeqpacket, Epoll, endWriting, epollEvents, openProcess, receive, send } from "./epoll.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { Hello, Report, Request } from "./messages.ts";

interface Line {
  readonly id: number;
  readonly fd: number;
  credit: number;
  /** What the kernel had no room for. */
  readonly writes: { bytes: Uint8Array; readonly receipt: number }[];
  endAfterWrites: boolean;
  watched: number;
}

/** conmon's packets are a byte and at most 8 KiB; writes to it go in pieces of that size. */
const largestPacket = 64 * 1024;
const largestWrite = 8 * 1024;
const again = -errnoByName.EAGAIN;

/** Serves connections until told to stop; never returns to the event loop but for sending reports. */
export function servePackets({ port, wake }: Hello, works: readonly ArrivalWork[] = []): void {
  const epoll = new Epoll();
  const byId = new Map<number, Line>();
  const byFd = new Map<number, Line>();
  /** Ids of watched processes by their descriptors. */
  const processes = new Map<number, number>();
  const folders = new FolderWatch(works);
  let tables: TableWatch | undefined;
  const buffer = Buffer.alloc(largestPacket);
  const report = (message: Report) => port.postMessage(message);
  epoll.add(wake, epollEvents.in);
  epoll.add(folders.fd, epollEvents.in);

  for (;;) {
    for (const { fd, events } of epoll.wait(-1)) {
      if (fd === wake) {
        clearEventFd(wake);
        if (!takeRequests()) {
          for (const line of byId.values()) closeSync(line.fd);
          for (const process of processes.keys()) closeSync(process);
          folders.close();
          tables?.[Symbol.dispose]();
          epoll.close();
          report({ kind: "stopped" });
          port.close();
          return;
        }
        continue;
      }
      if (fd === folders.fd) {
        for (const arrival of folders.take()) report(arrival);
        continue;
      }
      if (fd === tables?.fd) {
        const names = tables.take();
        if (names.length > 0) report({ kind: "tables-deleted", names });
        continue;
      }
      const ended = processes.get(fd);
      if (ended !== undefined) {
        processes.delete(fd);
        closeSync(fd);
        report({ kind: "ended", id: ended });
        continue;
      }
      const line = byFd.get(fd);
      if (line === undefined) continue;
      if (events & epollEvents.out) flush(line);
      if (events & (epollEvents.in | epollEvents.hangUp | epollEvents.error)) read(line);
    }
  }

  function takeRequests(): boolean {
    for (;;) {
      const next = receiveMessageOnPort(port as never) as { message: Request } | undefined;
      if (next === undefined) return true;
      if (next.message.kind === "stop") return false;
      obey(next.message);
    }
  }

  function obey(request: Exclude<Request, { kind: "stop" }>): void {
    if (request.kind === "connect") {
      connect(request.id, request.path);
      return;
    }
    if (request.kind === "process") {
      watchProcess(request.id, request.pid);
      return;
    }
    if (request.kind === "watch") {
      report(folders.add(request));
      return;
    }
    if (request.kind === "tables") {
      if (tables === undefined) {
        tables = new TableWatch();
        epoll.add(tables.fd, epollEvents.in);
      }
      return;
    }
    if (request.kind === "unwatch") {
      folders.remove(request.id);
      report({ kind: "unwatched", id: request.id });
      return;
    }
    const line = byId.get(request.id);
    if (line === undefined) {
      if (request.kind === "write")
        report({ kind: "wrote", id: request.id, receipt: request.receipt, error: gone(-32) });
      return;
    }
    if (request.kind === "close") drop(line);
    else if (request.kind === "credit") {
      line.credit += request.bytes;
      watch(line);
    } else if (request.kind === "end") {
      line.endAfterWrites = true;
      if (line.writes.length === 0) endWriting(line.fd);
    } else {
      line.writes.push({ bytes: request.bytes, receipt: request.receipt });
      flush(line);
    }
  }

  function connect(id: number, path: string): void {
    try {
      const fd = connectSeqpacket(path);
      const line: Line = { id, fd, credit: packetWindow, writes: [], endAfterWrites: false, watched: epollEvents.in };
      byId.set(id, line);
      byFd.set(fd, line);
      epoll.add(fd, line.watched);
      report({ kind: "open", id });
    } catch (error) {
      report({ kind: "failed", id, error: toRecord(error) });
    }
  }

  function watchProcess(id: number, pid: number): void {
    const fd = openProcess(pid);
    // Gone already, or this kernel cannot say: then the caller looks for itself.
    if (fd < 0) {
      report({ kind: "ended", id });
      return;
    }
    processes.set(fd, id);
    epoll.add(fd, epollEvents.in);
  }

  function read(line: Line): void {
    while (line.credit > 0) {
      const count = receive(line.fd, buffer);
      if (count === again) break;
      if (count <= 0) {
        report({ kind: "ended", id: line.id });
        drop(line);
        return;
      }
      line.credit -= count;
      report({ kind: "packet", id: line.id, bytes: Uint8Array.prototype.slice.call(buffer, 0, count) });
    }
    watch(line);
  }

  function flush(line: Line): void {
    for (;;) {
      const write = line.writes[0];
      if (write === undefined) break;
      const sent = send(line.fd, write.bytes.subarray(0, largestWrite));
      if (sent === again) break;
      if (sent < 0) {
        for (const lost of line.writes.splice(0))
          report({ kind: "wrote", id: line.id, receipt: lost.receipt, error: gone(sent) });
        break;
      }
      write.bytes = write.bytes.subarray(sent);
      if (write.bytes.length > 0) continue;
      line.writes.shift();
      report({ kind: "wrote", id: line.id, receipt: write.receipt });
    }
    if (line.writes.length === 0 && line.endAfterWrites) endWriting(line.fd);
    watch(line);
  }

  /** Asks for what can be used only: a socket nobody has credit for must not wake anyone. */
  function watch(line: Line): void {
    const wanted = (line.credit > 0 ? epollEvents.in : 0) | (line.writes.length > 0 ? epollEvents.out : 0);
    if (wanted === line.watched) return;
    // Error and hang-up cannot be masked: without any interest the socket leaves the set.
    if (wanted === 0) epoll.remove(line.fd);
    else if (line.watched === 0) epoll.add(line.fd, wanted);
    else epoll.change(line.fd, wanted);
    line.watched = wanted;
  }

  function drop(line: Line): void {
    byId.delete(line.id);
    byFd.delete(line.fd);
    for (const lost of line.writes.splice(0))
      report({ kind: "wrote", id: line.id, receipt: lost.receipt, error: gone(-32) });
    closeSync(line.fd);
  }
}

function gone(errno: number) {
  return toRecord(syscallError(-errno, { doing: "write to the container", because: "its side is closed" }));
}
