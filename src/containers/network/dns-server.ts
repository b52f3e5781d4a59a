import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Clock } from "#base/core/clock.ts";
import type { Random } from "#base/core/random.ts";
import { addressesIn, failureOf, verdictOn } from "./dns-answer.ts";
import { forwardDatagram, pipeStream } from "./dns-forward.ts";
import type { EgressBook } from "./egress-book.ts";
import type { Asker, NameTable } from "./names.ts";

export interface DnsServer extends AsyncDisposable {
  /** Where the packet rules redirect the gateways' port 53 to. */
  readonly port: number;
}

export interface DnsParts {
  readonly names: NameTable;
  readonly egress: EgressBook;
  readonly random: Random;
  readonly clock: Clock;
}

/** Questions to the world at one time; more are dropped, and asked again by who wants to know. */
const mostForwarded = 512;
const patience = 4000;

/** Answers names for every network on one UDP and one TCP port; what is no container's is asked of the world. */
export async function openDnsServer(parts: DnsParts): Promise<DnsServer> {
  const { names, egress, random, clock } = parts;
  /** Of a restricted asker's names the addresses are let through first. */
  const opened = async (address: string, answer: Uint8Array) => {
    if (egress.listOf(address) === undefined) return answer;
    const { addresses, seconds } = addressesIn(answer);
    await egress.learn(address, addresses, seconds, clock.now());
    return answer;
  };
  let forwarded = 0;
  const udp = await Bun.udpSocket({
    hostname: "0.0.0.0",
    socket: {
      data(socket, bytes, port, address) {
        const asker = names.asker(address);
        if (asker === undefined) return;
        const question = Buffer.from(bytes);
        const verdict = verdictOn(names, asker, question, egress.listOf(address));
        if (verdict.kind === "answer") socket.send(verdict.bytes, port, address);
        if (verdict.kind !== "forward" || forwarded >= mostForwarded) return;
        forwarded += 1;
        void forwardDatagram(question, serversFor(asker), patience, random)
          .then((answer) => (answer === undefined ? failureOf(question) : opened(address, answer)))
          .then((answer) => socket.send(answer, port, address))
          .finally(() => {
            forwarded -= 1;
          });
      },
    },
  });
  const tcp = Bun.listen<{ pending: Buffer; upstream?: (bytes: Buffer) => void }>({
    hostname: "0.0.0.0",
    port: udp.port,
    socket: {
      open(socket) {
        socket.data = { pending: Buffer.alloc(0) };
        socket.timeout(patience / 1000);
      },
      data(socket, bytes) {
        const { data } = socket;
        data.pending = Buffer.concat([data.pending, bytes]);
        // Each question has its length in two bytes before it (RFC 1035, 4.2.2).
        while (data.pending.length >= 2 && data.pending.length >= 2 + data.pending.readUInt16BE(0)) {
          const length = data.pending.readUInt16BE(0);
          const question = data.pending.subarray(2, 2 + length);
          data.pending = data.pending.subarray(2 + length);
          const asker = names.asker(socket.remoteAddress);
          const verdict =
            asker === undefined
              ? undefined
              : verdictOn(names, asker, Buffer.from(question), egress.listOf(socket.remoteAddress));
          if (asker === undefined || verdict === undefined || verdict.kind === "drop") return void socket.end();
          if (verdict.kind === "answer") socket.write(framed(verdict.bytes));
          else
            void pipeStream(framed(question), serversFor(asker), patience).then((answer) => {
              if (answer === undefined) socket.end();
              else void opened(socket.remoteAddress, answer.subarray(2)).then(() => socket.write(answer));
            });
        }
      },
      timeout(socket) {
        socket.end();
      },
      error(socket) {
        socket.end();
      },
    },
  });
  return {
    port: udp.port,
    [Symbol.asyncDispose]: async () => {
      udp.close();
      tcp.stop(true);
    },
  };
}

function framed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function serversFor({ dns }: Asker): readonly string[] {
  return dns.length > 0 ? dns : hostServers();
}

/** Read each time: a laptop moves. A server on the host's loopback serves too, the engine being on the host. */
function hostServers(): readonly string[] {
  try {
    return readFileSync("/etc/resolv.conf", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([word, server = ""]) => (word === "nameserver" && isIP(server) !== 0 ? [server] : []));
  } catch {
    return []; // A host without it knows no server.
  }
}
