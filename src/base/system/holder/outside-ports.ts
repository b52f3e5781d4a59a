import { GantryError } from "#base/core/errors.ts";

/** A port of the machine whose connections end at a port of the Holder's own 127.0.0.1. */
export interface OutsidePort {
  readonly protocol: "tcp" | "udp";
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly insidePort: number;
}

/** The machine's ports, from inside a user's Holder. They stay open while it lives, with or without an engine. */
export interface OutsidePorts {
  /** Gives the number to close it by. Errors: "conflict" taken, "denied" below 1024, "invalid" no such address. */
  open(port: OutsidePort): Promise<number>;
  close(id: number): Promise<void>;
  list(): Promise<readonly (OutsidePort & { readonly id: number })[]>;
}

/** As rootlesskit's API writes one. */
interface Forwarding {
  readonly proto: string;
  readonly parentIP: string;
  readonly parentPort: number;
  readonly childIP: string;
  readonly childPort: number;
}

export function openOutsidePorts(socket: string): OutsidePorts {
  const ask = async (method: string, path: string, body?: Forwarding) => {
    const answer = await fetch(`http://localhost/v1/ports${path}`, {
      unix: socket,
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const text = await answer.text();
    return { ok: answer.ok, value: text.trim() === "" ? undefined : (JSON.parse(text) as unknown) };
  };
  return {
    async open(port) {
      const { protocol, hostAddress, hostPort, insidePort } = port;
      const { ok, value } = await ask("POST", "", {
        proto: `${protocol}${hostAddress.includes(":") ? 6 : 4}`,
        parentIP: hostAddress,
        parentPort: hostPort,
        childIP: "127.0.0.1",
        childPort: insidePort,
      });
      if (!ok) throw refusal(port, (value as { readonly message?: string } | undefined)?.message ?? "nothing");
      return (value as { readonly id: number }).id;
    },
    async close(id) {
      const { ok, value } = await ask("DELETE", `/${id}`);
      const message = (value as { readonly message?: string } | undefined)?.message ?? "";
      if (ok || message.includes("unknown id")) return;
      throw new GantryError("internal", {
        doing: "close the port",
        on: String(id),
        because: `rootlesskit says: ${message}`,
      });
    },
    async list() {
      const { value } = await ask("GET", "");
      return ((value ?? []) as readonly { readonly id: number; readonly spec: Forwarding }[]).map(({ id, spec }) => ({
        id,
        protocol: spec.proto.startsWith("udp") ? "udp" : "tcp",
        hostAddress: spec.parentIP,
        hostPort: spec.parentPort,
        insidePort: spec.childPort,
      }));
    },
  };
}

function refusal({ hostAddress, hostPort, protocol }: OutsidePort, message: string): GantryError {
  const on = `${hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress}:${hostPort}/${protocol}`;
  const doing = "publish the port";
  if (/address already in use|conflict with ID/.test(message)) {
    return new GantryError("conflict", {
      doing,
      on,
      because: "another program or container has it",
      next: `Choose another port; \`ss -lntup 'sport = ${hostPort}'\` shows who has it.`,
    });
  }
  if (/privileged port|permission denied/.test(message)) {
    return new GantryError("denied", {
      doing,
      on,
      because: "this user may not open ports that low",
      next: `Choose a higher one, or run as root: sysctl -w net.ipv4.ip_unprivileged_port_start=${hostPort}`,
    });
  }
  if (message.includes("cannot assign requested address")) {
    return new GantryError("invalid", { doing, on, because: `${hostAddress} is no address of this machine` });
  }
  return new GantryError("internal", { doing, on, because: `rootlesskit says: ${message}` });
}
