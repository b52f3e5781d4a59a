import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { errnoByName, syscallError, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
});

const afInet = 2;
const closeOnExec = 0o2000000;
const kinds = { tcp: [1, 6], udp: [2, 17], sctp: [1, 132] } as const;

/** A port held by a bound socket that never listens: others get EADDRINUSE, the packets are the kernel's to steer. */
export interface BoundPort extends Disposable {
  readonly port: number;
}

/**
 * Port 0 takes any free one. Errors: "conflict" taken; "invalid" the address is not this machine's; "denied".
 */
export function bindPort(protocol: keyof typeof kinds, address: string, port: number): BoundPort {
  const on = `${address}:${port}/${protocol}`;
  const [type, number] = kinds[protocol];
  const fd = syscallResult(libc.socket(afInet, type | closeOnExec, number));
  // A kernel without SCTP has nobody to fight over its ports.
  if (fd === -errnoByName.EPROTONOSUPPORT && port !== 0) return { port, [Symbol.dispose]: () => undefined };
  if (fd < 0) throw syscallError(-fd, { doing: "hold the port", on });
  const name = Buffer.alloc(16);
  name.writeUInt16LE(afInet, 0);
  name.writeUInt16BE(port, 2);
  name.set(address.split(".").map(Number), 4);
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
