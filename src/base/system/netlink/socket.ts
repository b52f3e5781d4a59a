import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { must, syscallError, syscallResult } from "#base/system/libc/errno.ts";
import { type Answer, flags, message, messageTypes, parseMessages } from "./message.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
});

const [afNetlink, raw, closeOnExec, route] = [16, 3, 0o2000000, 0];

/** A request to the kernel's routing tables and its answers. Belongs to the network namespace it was opened in. */
export class NetlinkSocket implements Disposable {
  readonly #fd = must(syscallResult(libc.socket(afNetlink, raw | closeOnExec, route)), {
    doing: "open a netlink socket",
  });
  readonly #buffer = Buffer.alloc(64 * 1024);
  #sequence = 1;

  /** Asks for a change. Errors: by errno, saying `doing` and `on`. */
  change(doing: string, on: string, type: number, extra: number, ...parts: Uint8Array[]): void {
    const sequence = this.#send(type, flags.acknowledge | extra, parts);
    for (;;) {
      for (const answer of this.#receive()) {
        if (answer.sequence !== sequence || answer.type !== messageTypes.error) continue;
        const code = answer.body.readInt32LE(0);
        if (code < 0) throw syscallError(-code, { doing, on });
        return;
      }
    }
  }

  /** Every object of a table. */
  dump(type: number, ...parts: Uint8Array[]): Answer[] {
    const sequence = this.#send(type, flags.dump, parts);
    const answers: Answer[] = [];
    for (;;) {
      for (const answer of this.#receive()) {
        if (answer.sequence !== sequence) continue;
        if (answer.type === messageTypes.done) return answers;
        if (answer.type === messageTypes.error) {
          throw syscallError(-answer.body.readInt32LE(0), { doing: "list the network's objects" });
        }
        answers.push({ ...answer, body: Buffer.from(answer.body) });
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #send(type: number, messageFlags: number, parts: readonly Uint8Array[]): number {
    const sequence = this.#sequence++;
    const bytes = message(type, messageFlags, sequence, ...parts);
    must(syscallResult(libc.send(this.#fd, bytes, bytes.length, 0)), { doing: "ask the kernel's network" });
    return sequence;
  }

  #receive(): Answer[] {
    const count = must(syscallResult(libc.recv(this.#fd, this.#buffer, this.#buffer.length, 0)), {
      doing: "hear the kernel's network",
    });
    return parseMessages(this.#buffer.subarray(0, count));
  }
}
