import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { parseAttributes, parseMessages } from "./message.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
});

const [afNetlink, raw, closeOnExec, nonBlocking, netfilter] = [16, 3, 0o2000000, 0o4000, 12];
/** NFNLGRP_NFTABLES, as a bit of sockaddr_nl.nl_groups. */
const tablesGroup = 1 << (7 - 1);
/** NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE */
const tableDeleted = (10 << 8) | 2;
const tableName = 1;
const headerSize = 4;

/** Hears which nftables tables are deleted in this network namespace, by whomever. */
export class TableWatch implements Disposable {
  readonly fd = must(syscallResult(libc.socket(afNetlink, raw | closeOnExec | nonBlocking, netfilter)), {
    doing: "open a netlink socket",
  });
  readonly #buffer = Buffer.alloc(256 * 1024);

  constructor() {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(afNetlink, 0);
    address.writeUInt32LE(tablesGroup, 8);
    must(syscallResult(libc.bind(this.fd, address, address.length)), { doing: "hear of changed packet rules" });
  }

  /** Names of tables deleted since the last call. When the kernel had more to say than room, "" stands for any. */
  take(): string[] {
    const names: string[] = [];
    for (;;) {
      const count = syscallResult(libc.recv(this.fd, this.#buffer, this.#buffer.length, 0));
      if (count === -105)
        names.push(""); // ENOBUFS
      else if (count <= 0) return names;
      else {
        for (const { type, body } of parseMessages(this.#buffer.subarray(0, count))) {
          if (type !== tableDeleted) continue;
          const name = parseAttributes(body, headerSize).get(tableName);
          if (name !== undefined) names.push(name.toString("latin1").replace(/\0.*$/s, ""));
        }
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
