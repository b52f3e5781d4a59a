import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { addressBytes } from "#base/core/ip-address.ts";
import { errnoByName, syscallError, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});

const closeOnExec = 0o2000000;
const [ipv6Level, ipv6Only] = [41, 26];
const kinds = { tcp: [1, 6], udp: [2, 17], sctp: [1, 132] } as const;

/** A port held by a bound socket that never listens: others get EADDRINUSE, the packets are the kernel's to steer. */
export interface BoundPort extends Disposable {
  readonly port: number;
}

/**
 * Port 0 takes any free one. Errors: "conflict" taken; "invalid" the address is not this machine's; "denied".
 */
export function bindPort(protocol: keyof typeof kinds, address: string, port: number): BoundPort {
  const on = `${address.includes(":") ? `[${address}]` : address}:${port}/${protocol}`;
  const bytes = addressBytes(address);
  const six = bytes.length === 16;
  const [type, number] = kinds[protocol];
  const fd = syscallResult(libc.socket(six ? 10 : 2, type | closeOnExec, number));
  // A kernel without SCTP has nobody to fight over its ports.
  if (fd === -errnoByName.EPROTONOSUPPORT && port !== 0) return { port, [Symbol.dispose]: () => undefined };
  if (fd < 0) throw syscallError(-fd, { doing: "hold the port", on });
  // "::" is every IPv6 address and no IPv4 one: that is published by its own name.
  if (six) libc.setsockopt(fd, ipv6Level, ipv6Only, new Int32Array([1]), 4);
  const name = Buffer.alloc(six ? 28 : 16);
  name.writeUInt16LE(six ? 10 : 2, 0);
  name.writeUInt16BE(port, 2);
  name.set(bytes, six ? 8 : 4);
  const bound = syscallResult(libc.bind(fd, name, name.length));
  if (bound < 0) {
    closeSync(fd);
    throw refusal(-bound, on, address, port);
  }
  libc.getsockname(fd, name, new Uint32Array([name.length]));
  let open = true;
  return {
    port: name.readUInt16BE(2),
    [Symbol.dispose]: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function refusal(errno: number, on: string, address: string, port: number): GantryError {
  if (errno === errnoByName.EADDRINUSE) {
    return new GantryError("conflict", {
      doing: "publish the port",
      on,
      because: "another program or container has it",
      next: `Choose another port; \`ss -lntup 'sport = ${port}'\` shows who has it.`,
    });
  }
  if (errno === errnoByName.EADDRNOTAVAIL) {
    return new GantryError("invalid", {
      doing: "publish the port",
      on,
      because: `${address} is no address of this machine`,
    });
  }
  return syscallError(errno, { doing: "publish the port", on });
}
