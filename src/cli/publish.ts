import { GantryError } from "#base/core/errors.ts";
import type { PortBinding } from "#formats/docker/container.ts";

export interface Published {
  readonly bindings: Record<string, PortBinding[]>;
  readonly exposed: Record<string, Record<string, never>>;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

function span(text: string, whole: string): Span {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  const valid = (port: number) => port >= 1 && port <= 65535;
  if (match === null || !valid(first) || !valid(last) || last < first) {
    throw new GantryError("invalid", {
      doing: "publish the port",
      on: whole,
      because: `"${text}" is no port from 1 to 65535, nor a range of them`,
      next: "For example: -p 8080:80",
    });
  }
  return { first, last };
}

/** `-p 8080:80/tcp`, `-p 127.0.0.1::80`, `-p 80`, `-p 8000-8010:8000-8010`, `-p [::1]:80:80`. Error "invalid". */
export function parsePublish(publish: readonly string[], expose: readonly string[]): Published {
  const bindings: Record<string, PortBinding[]> = {};
  const exposed: Record<string, Record<string, never>> = {};
  for (const text of expose) {
    const { ports, protocol } = splitProtocol(text);
    const { first, last } = span(ports, text);
    for (let port = first; port <= last; port += 1) exposed[`${port}/${protocol}`] = {};
  }
  for (const text of publish) {
    const { ports, protocol } = splitProtocol(text);
    const six = /^\[([^\]]*)\]:(.*)$/.exec(ports);
    const parts = six === null ? ports.split(":") : [six[1]!, ...six[2]!.split(":")];
    if (parts.length > 3)
      throw new GantryError("invalid", { doing: "publish the port", on: text, because: "it has too many parts" });
    const inside = span(parts.at(-1)!, text);
    const outsideText = parts.length >= 2 ? parts.at(-2)! : "";
    const address = parts.length === 3 ? parts[0]! : "";
    const outside = outsideText === "" ? undefined : span(outsideText, text);
    const width = inside.last - inside.first;
    if (outside !== undefined && width > 0 && outside.last - outside.first !== width) {
      throw new GantryError("invalid", {
        doing: "publish the port",
        on: text,
        because: "the two ranges differ in length",
      });
    }
    for (let offset = 0; offset <= width; offset += 1) {
      const key = `${inside.first + offset}/${protocol}`;
      exposed[key] = {};
      const hostPort = outside === undefined ? "" : width === 0 ? outsideText : `${outside.first + offset}`;
      bindings[key] = [...(bindings[key] ?? []), { HostIp: address, HostPort: hostPort }];
    }
  }
  return { bindings, exposed };
}

function splitProtocol(text: string): { ports: string; protocol: string } {
  const [ports, protocol = "tcp"] = text.split("/", 2) as [string, string | undefined];
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) {
    throw new GantryError("invalid", {
      doing: "publish the port",
      on: text,
      because: `the protocol ${protocol} is not tcp, udp or sctp`,
    });
  }
  return { ports, protocol: protocol.toLowerCase() };
}
