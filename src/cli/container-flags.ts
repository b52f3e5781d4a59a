import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { GantryError } from "#base/core/errors.ts";
import type { ContainerCreateBody, HostConfig, Ulimit } from "#formats/docker/container.ts";
import { type DeviceFlags, declareDeviceFlags, deviceConfig, isCdiName } from "./device-flags.ts";
import { declareHealthFlags, type HealthFlags, healthAnnotations, healthcheck } from "./health-flags.ts";
import { parseMountFlag } from "./mount-flag.ts";
import { networkingConfig } from "./network-flags.ts";
import { numberFlag } from "./number-flag.ts";
import { pairs } from "./pairs-flag.ts";
import { parsePublish } from "./publish.ts";
import { declareResourceFlags, type ResourceFlags, resourceFlags } from "./resource-flags.ts";
import { restartPolicy } from "./restart-flag.ts";
import { parseSize } from "./size-flag.ts";

/** Collects a flag given several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

export interface ContainerFlags extends HealthFlags, ResourceFlags, DeviceFlags {
  readonly annotation: readonly string[];
  readonly egress: readonly string[];
  readonly addHost: readonly string[];
  readonly attach: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly cgroupParent?: string;
  readonly device: readonly string[];
  readonly dns: readonly string[];
  readonly dnsOption: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly domainname?: string;
  readonly entrypoint?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly expose: readonly string[];
  readonly groupAdd: readonly string[];
  readonly hostname?: string;
  readonly init?: boolean;
  readonly interactive?: boolean;
  readonly ipc?: string;
  readonly label: readonly string[];
  readonly logDriver?: string;
  readonly logOpt: readonly string[];
  readonly mount: readonly string[];
  readonly name?: string;
  readonly net: readonly string[];
  readonly network: readonly string[];
  readonly networkAlias: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly macAddress?: string;
  readonly oomScoreAdj?: string;
  readonly platform?: string;
  readonly privileged?: boolean;
  readonly publish: readonly string[];
  readonly publishAll?: boolean;
  readonly pull: string;
  readonly quiet?: boolean;
  readonly readOnly?: boolean;
  readonly restart: string;
  readonly rm?: boolean;
  readonly secret: readonly string[];
  readonly securityOpt: readonly string[];
  readonly shmSize?: string;
  readonly stopSignal?: string;
  readonly stopTimeout?: string;
  readonly sysctl: readonly string[];
  readonly tmpfs: readonly string[];
  readonly tty?: boolean;
  readonly ulimit: readonly string[];
  readonly user?: string;
  readonly volume: readonly string[];
  readonly volumesFrom: readonly string[];
  readonly workdir?: string;
}

/** Docker's flags of `run` and `create`. */
export function declareContainerFlags(command: Command): void {
  const many = (flags: string, text: string) => command.option(flags, text, collect, []);
  command
    .passThroughOptions()
    .argument("<image>", "name or digest")
    .argument("[command...]", "the program and its arguments; the image's own when left out");
  many("--add-host <name:address>", "add a line to /etc/hosts");
  many("-a, --attach <stream>", "join stdin, stdout or stderr only");
  many("--cap-add <capability>", "add a capability");
  many("--cap-drop <capability>", "take a capability away; ALL takes all");
  command.option("--cgroup-parent <path>", "the cgroup to make the container's in");
  declareResourceFlags(command);
  many("--device <source[:target[:rwm]]>", "give it a device");
  many("--dns <address>", "a name server");
  many("--dns-option <option>", "a resolver option");
  many("--dns-search <domain>", "a search domain");
  command.option("--domainname <name>", "the domain name").option("--entrypoint <program>", "instead of the image's");
  many("-e, --env <name=value>", "set a variable");
  many("--env-file <file>", "read variables from a file");
  many("--expose <port>", "note a port");
  many("--group-add <group>", "a further group");
  command
    .option("-h, --hostname <name>", "the host name")
    .option("--init", "a small init as process 1")
    .option("-i, --interactive", "keep its input open")
    .option("--ipc <mode>", "private or host");
  many("-l, --label <name=value>", "a label");
  command.option("--log-driver <name>", "json-file");
  many("--log-opt <name=value>", "an option of the log");
  many("--mount <fields>", "type=bind|volume|tmpfs|image,source=…,target=…[,readonly]");
  many(
    "--network <network>",
    "its network: a name, none, host or container:NAME; several, and name=…,alias=…,ip=… too",
  );
  many("--network-alias <name>", "a name it has in its first network");
  command
    .option("--name <name>", "its name")
    .option("--ip <address>", "its IPv4 address in its first network")
    .option("--ip6 <address>", "its IPv6 address in its first network")
    .option("--mac-address <address>", "its MAC address in its first network")
    .addOption(new Option("--net <network>").argParser(collect).default([]).hideHelp())
    .option("--oom-score-adj <number>", "-1000 to 1000")
    .option("--platform <platform>", "as linux/amd64")
    .option("--privileged", "give it all rights on this machine");
  many("-p, --publish <[address:][port:]port>", "publish a port, on 127.0.0.1 unless an address is named");
  command
    .option("-P, --publish-all", "publish all exposed ports")
    .option("--pull <when>", "always, missing or never", "missing")
    .option("-q, --quiet", "no progress of a pull")
    .option("--read-only", "mount its root read-only")
    .option("--restart <policy>", "no, on-failure[:N], always or unless-stopped", "no")
    .option("--rm", "remove it when it ends");
  many("--secret <id=…,src=FILE>", "a file in memory alone, at /run/secrets/ID; env=NAME for a variable");
  many("--security-opt <option>", "no-new-privileges, seccomp=FILE or seccomp=unconfined");
  command
    .option("--shm-size <size>", "size of /dev/shm, default 64m")
    .option("--stop-signal <signal>", "the signal that stops it")
    .option("--stop-timeout <seconds>", "seconds to wait before SIGKILL");
  many("--sysctl <name=value>", "a kernel setting of its own namespaces");
  many("--tmpfs <path[:options]>", "a memory file system");
  command.option("-t, --tty", "give it a terminal");
  many("--ulimit <name=soft[:hard]>", "a limit of its processes");
  command.option("-u, --user <user>", "name or id, optionally :group");
  many("-v, --volume <source:target[:ro]>", "mount a folder or a volume");
  many("--volumes-from <container[:ro]>", "the volumes and binds of another container");
  command.option("-w, --workdir <folder>", "the folder to start in");
  many("--egress <address|name>", "where it may begin to talk to only, as 192.0.2.0/24, *.example.org or none");
  many("--annotation <name=value>", "an annotation for the runtime");
  declareHealthFlags(command);
  declareDeviceFlags(command);
  // Docker's -h is the host name, so help is --help alone.
  command.helpOption("--help", "show this");
}

/** `--env` and `--env-file`; a bare name takes the caller's value. */
export function environment(
  flags: { readonly env: readonly string[]; readonly envFile: readonly string[] },
  own: Readonly<Record<string, string | undefined>>,
): string[] {
  const lines = flags.envFile.flatMap((file) =>
    readText(file, "read the variables")
      .split("\n")
      .map((line) => line.replace(/\r$/, "").trimStart())
      .filter((line) => line !== "" && !line.startsWith("#")),
  );
  return [...lines, ...flags.env].flatMap((entry) => {
    if (entry.startsWith("=")) throw invalid("set the variable", entry, "it has no name");
    if (entry.includes("=")) return [entry];
    const value = own[entry];
    return value === undefined ? [] : [`${entry}=${value}`];
  });
}

function readText(file: string, doing: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new GantryError("not-found", { doing, on: file, because: "the file cannot be read", cause });
  }
}

function invalid(doing: string, on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", { doing, on, because, ...(next === undefined ? {} : { next }) });
}

function ulimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+|unlimited)(?::(-?\d+|unlimited))?$/.exec(text);
  if (match === null)
    throw invalid(
      "read --ulimit",
      text,
      "it is not of the form name=soft[:hard]",
      "For example: --ulimit nofile=1024:2048",
    );
  const value = (word: string) => (word === "unlimited" ? -1 : Number(word));
  const soft = value(match[2]!);
  return { Name: match[1]!, Soft: soft, Hard: match[3] === undefined ? soft : value(match[3]) };
}

function security(option: string): string {
  const match = /^seccomp=(?!unconfined$|builtin$)(.+)$/.exec(option);
  return match === null ? option : `seccomp=${readText(match[1]!, "read the seccomp profile")}`;
}

/** The create body of these flags. Errors: "invalid", naming the flag. */
export function createBody(
  flags: ContainerFlags,
  image: string,
  words: readonly string[],
  own: Readonly<Record<string, string | undefined>>,
  detached: boolean,
): ContainerCreateBody {
  const { bindings, exposed } = parsePublish(flags.publish, flags.expose);
  const attachAll = flags.attach.length === 0 && !detached;
  const attaches = (stream: string) => flags.attach.some((word) => word.toLowerCase() === stream);
  const mounts = flags.mount.map(parseMountFlag);
  const health = healthcheck(flags);
  const networks = networkingConfig(flags);
  const annotations = {
    ...pairs(flags.annotation, "annotation"),
    ...healthAnnotations(flags),
    ...egressAnnotation(flags.egress),
  };
  const anonymous = flags.volume.filter((text) => !text.includes(":"));
  const host: HostConfig = {
    Binds: flags.volume.filter((text) => text.includes(":")).map(absoluteSource),
    Mounts: mounts,
    ...deviceConfig(flags),
    VolumesFrom: flags.volumesFrom,
    Tmpfs: Object.fromEntries(flags.tmpfs.map((text) => splitOnce(text, ":"))),
    NetworkMode: networks.mode,
    PortBindings: bindings,
    PublishAllPorts: flags.publishAll === true,
    RestartPolicy: restartPolicy(flags.restart),
    AutoRemove: flags.rm === true,
    ...(Object.keys(annotations).length === 0 ? {} : { Annotations: annotations }),
    CapAdd: flags.capAdd,
    CapDrop: flags.capDrop,
    ...(flags.cgroupParent === undefined ? {} : { CgroupParent: flags.cgroupParent }),
    Dns: flags.dns,
    DnsOptions: flags.dnsOption,
    DnsSearch: flags.dnsSearch,
    ExtraHosts: flags.addHost,
    GroupAdd: flags.groupAdd,
    ...(flags.ipc === undefined ? {} : { IpcMode: flags.ipc }),
    ...definedNumber("OomScoreAdj", numberFlag(flags.oomScoreAdj, "oom-score-adj")),
    Privileged: flags.privileged === true,
    ReadonlyRootfs: flags.readOnly === true,
    SecurityOpt: flags.securityOpt.map(security),
    Sysctls: pairs(flags.sysctl, "sysctl"),
    ...(flags.init === undefined ? {} : { Init: flags.init }),
    ...resourceFlags(flags),
    ...definedNumber("ShmSize", parseSize(flags.shmSize, "shm-size")),
    Ulimits: flags.ulimit.map(ulimit),
    Devices: flags.device
      .filter((text) => !isCdiName(text))
      .map((text) => {
        const [source, target, access] = text.split(":");
        return { PathOnHost: source!, PathInContainer: target ?? source!, CgroupPermissions: access ?? "rwm" };
      }),
    ...(flags.logDriver === undefined && flags.logOpt.length === 0
      ? {}
      : { LogConfig: { Type: flags.logDriver ?? "json-file", Config: pairs(flags.logOpt, "log-opt") } }),
  };
  return {
    Image: image,
    ...(words.length === 0 ? {} : { Cmd: words }),
    ...(flags.entrypoint === undefined ? {} : { Entrypoint: flags.entrypoint === "" ? [""] : [flags.entrypoint] }),
    Env: environment(flags, own),
    Labels: pairs(flags.label, "label"),
    ...(flags.hostname === undefined ? {} : { Hostname: flags.hostname }),
    ...(flags.domainname === undefined ? {} : { Domainname: flags.domainname }),
    ...(flags.user === undefined ? {} : { User: flags.user }),
    ...(flags.workdir === undefined ? {} : { WorkingDir: flags.workdir }),
    AttachStdin: flags.interactive === true && (attachAll || attaches("stdin")),
    AttachStdout: attachAll || attaches("stdout"),
    AttachStderr: attachAll || attaches("stderr"),
    OpenStdin: flags.interactive === true,
    StdinOnce: flags.interactive === true && !detached,
    Tty: flags.tty === true,
    ExposedPorts: exposed,
    Volumes: Object.fromEntries(anonymous.map((path) => [path, {}])),
    ...(flags.stopSignal === undefined ? {} : { StopSignal: flags.stopSignal }),
    ...definedNumber("StopTimeout", numberFlag(flags.stopTimeout, "stop-timeout")),
    ...(health === undefined ? {} : { Healthcheck: health }),
    HostConfig: host,
    NetworkingConfig: { EndpointsConfig: networks.endpoints },
  };
}

function definedNumber<K extends string>(name: K, value: number | undefined): { [P in K]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: number });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** "./data:/x" is relative to the caller, whom the engine cannot see. */
/** The Engine API has no field for it. */
export function egressAnnotation(entries: readonly string[]): Record<string, string> {
  return entries.length === 0 ? {} : { "io.gantry.egress.allow": entries.join(",") };
}

export function absoluteSource(text: string): string {
  const [source, rest] = splitOnce(text, ":");
  const relative = /^\.\.?(\/|$)/.test(source);
  return relative ? `${resolve(source)}:${rest}` : text;
}
