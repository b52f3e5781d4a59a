import { readFileSync, writeFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { ContainerRecord, RunningNetwork, SandboxSpec } from "./contract.ts";
import type { ContainerPaths } from "./layout.ts";

/** Writes both files in place: what is bound into a running container stays the same file. */
export function writeSandboxFiles(
  paths: ContainerPaths,
  { id, sandbox }: ContainerRecord,
  network: RunningNetwork | undefined,
): void {
  const endpoints = network?.endpoints ?? [];
  const gateway = endpoints.find((endpoint) => endpoint.gateway !== "")?.gateway;
  const hosts = hostsFile({
    hostname: sandbox.hostname ?? id.slice(0, 12),
    ...(sandbox.domainname === undefined ? {} : { domainname: sandbox.domainname }),
    addresses: endpoints.flatMap(({ address, address6 }) => (address6 === undefined ? [address] : [address, address6])),
    ...(gateway === undefined ? {} : { gateway }),
    ...(sandbox.extraHosts === undefined ? {} : { extraHosts: sandbox.extraHosts }),
  });
  writeFileSync(paths.hosts, hosts, { mode: 0o644 });
  writeFileSync(paths.resolvConf, resolvConf(sandbox, network?.nameServer), { mode: 0o644 });
}

/** Used when the host names only servers on its own loopback. */
const publicServers = ["8.8.8.8", "8.8.4.4"];

/** /etc/hosts of a sandbox. */
export function hostsFile(facts: {
  readonly hostname: string;
  readonly domainname?: string;
  readonly addresses?: readonly string[];
  readonly gateway?: string;
  readonly extraHosts?: readonly string[];
}): string {
  const own = [facts.domainname === undefined ? undefined : `${facts.hostname}.${facts.domainname}`, facts.hostname];
  return [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
    ...(facts.extraHosts ?? []).map((line) => extraHost(line, facts.gateway)),
    ...(facts.addresses ?? []).map((address) => `${address}\t${own.filter(Boolean).join(" ")}`),
    "",
  ].join("\n");
}

function extraHost(line: string, gateway: string | undefined): string {
  const split = /^([^:=\s]+)[:=](\S+)$/.exec(line);
  const address = split?.[2] === "host-gateway" ? gateway : split?.[2]?.replace(/^\[(.*)\]$/, "$1");
  if (split === null || address === undefined || !/^[0-9a-fA-F.:]+$/.test(address)) {
    throw new GantryError("invalid", {
      doing: "add the host",
      on: line,
      because: "it is no name and address",
      next: 'Write it as "name:192.0.2.1".',
    });
  }
  return `${address}\t${split[1]}`;
}

/**
 * /etc/resolv.conf of a sandbox: the networks' own name server where there is one (it asks further servers itself),
 * else what was asked, else the host's. In a network of its own a loopback server would be the container itself, so
 * those are left out.
 */
export function resolvConf(spec: SandboxSpec, nameServer?: string, host = readHostResolv()): string {
  const ownNetwork = spec.network.kind !== "host";
  const of = (word: string) =>
    host
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => words[0] === word);
  const hostServers = of("nameserver")
    .map((words) => words[1] ?? "")
    .filter((server) => server !== "" && !(ownNetwork && /^(127\.|::1$)/.test(server)));
  const servers =
    nameServer !== undefined
      ? [nameServer]
      : spec.dns?.length
        ? spec.dns
        : hostServers.length > 0
          ? hostServers
          : publicServers;
  const search = spec.dnsSearch?.length ? spec.dnsSearch : of("search").flatMap((words) => words.slice(1));
  // A name without a dot is a neighbour's: it is asked for as it stands, before any search domain.
  const usual = nameServer === undefined ? of("options").flatMap((words) => words.slice(1)) : ["ndots:0"];
  const options = spec.dnsOptions?.length ? spec.dnsOptions : usual;
  for (const word of [...servers, ...search, ...options]) {
    if (/[\s\0]/.test(word)) {
      throw new GantryError("invalid", { doing: "write resolv.conf with", on: word, because: "it holds a space" });
    }
  }
  return [
    ...(search.length > 0 && !search.includes(".") ? [`search ${search.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

function readHostResolv(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}
