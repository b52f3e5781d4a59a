import { defaultShmSize, type Healthcheck, type HostConfig } from "#formats/docker/container.ts";
import type { RecreateInput } from "./contract.ts";
import { type Facts, factsOf, type NetworkFacts } from "./facts.ts";

/** `gantry run …` in words of a shell; docker takes the same. */
export function runCommand(input: RecreateInput, program = "gantry"): string {
  const facts = factsOf(input);
  return [program, "run", ...flags(facts), facts.image, ...commandOf(facts)].map(quoted).join(" ");
}

function flags(facts: Facts): string[] {
  const { host, config, labels, env } = facts;
  const each = (flag: string, values: readonly string[] | null | undefined) =>
    (values ?? []).flatMap((value) => [flag, value]);
  const one = (flag: string, value: string | number | undefined | null) =>
    value === undefined || value === null || value === "" || value === 0 ? [] : [flag, String(value)];
  const on = (flag: string, value: boolean | undefined | null) => (value === true ? [flag] : []);
  const { RestartPolicy: restart } = host;
  const retries = restart?.MaximumRetryCount ? `:${restart.MaximumRetryCount}` : "";
  return [
    ...(config.AttachStdout === true ? [] : ["-d"]),
    ...["--name", facts.name],
    ...on("-i", config.OpenStdin),
    ...on("-t", config.Tty),
    ...on("--rm", host.AutoRemove),
    ...one("--restart", restart?.Name === "no" ? "" : `${restart?.Name ?? ""}${retries}`),
    ...one("--hostname", facts.hostname),
    ...one("--user", config.User),
    ...one("--workdir", config.WorkingDir),
    ...each("-e", env),
    ...each("-p", facts.ports),
    ...on("-P", host.PublishAllPorts),
    ...each("-v", facts.volumes),
    ...each(
      "--tmpfs",
      Object.entries(host.Tmpfs ?? {}).map(([path, options]) => (options === "" ? path : `${path}:${options}`)),
    ),
    ...(facts.networkMode === undefined ? [] : ["--network", facts.networkMode]),
    ...each("--network", facts.networks.map(networkFlag)),
    ...each("--dns", host.Dns),
    ...each("--add-host", host.ExtraHosts),
    ...each(
      "-l",
      Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    ),
    ...limitFlags(host),
    ...on("--privileged", host.Privileged),
    ...each("--cap-add", host.CapAdd),
    ...each("--cap-drop", host.CapDrop),
    ...each("--security-opt", host.SecurityOpt),
    ...each(
      "--device",
      (host.Devices ?? []).map(
        (device) => `${device.PathOnHost}:${device.PathInContainer}:${device.CgroupPermissions}`,
      ),
    ),
    ...each("--device-cgroup-rule", host.DeviceCgroupRules),
    ...one("--pid", host.PidMode),
    ...one("--uts", host.UTSMode),
    ...one("--ipc", host.IpcMode === "private" ? undefined : host.IpcMode),
    ...each("--group-add", host.GroupAdd),
    ...each(
      "--ulimit",
      (host.Ulimits ?? []).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    ),
    ...each(
      "--sysctl",
      Object.entries(host.Sysctls ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...on("--read-only", host.ReadonlyRootfs),
    ...on("--init", host.Init),
    ...one("--shm-size", host.ShmSize === defaultShmSize ? undefined : host.ShmSize),
    ...one("--stop-signal", config.StopSignal),
    ...one("--stop-timeout", config.StopTimeout),
    ...one("--log-driver", host.LogConfig?.Type === "json-file" ? undefined : host.LogConfig?.Type),
    ...each(
      "--log-opt",
      Object.entries(host.LogConfig?.Config ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...healthFlags(config.Healthcheck),
    ...each(
      "--annotation",
      Object.entries(host.Annotations ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...(facts.entrypoint === undefined ? [] : ["--entrypoint", facts.entrypoint[0] ?? ""]),
  ];
}

/** What follows the first word of an entrypoint can only be given as arguments. */
function commandOf({ entrypoint, command }: Facts): readonly string[] {
  return [...(entrypoint ?? []).slice(1), ...command];
}

function networkFlag({ name, aliases, address, address6 }: NetworkFacts): string {
  const parts = [
    ...aliases.map((alias) => `alias=${alias}`),
    ...(address === undefined ? [] : [`ip=${address}`]),
    ...(address6 === undefined ? [] : [`ip6=${address6}`]),
  ];
  return parts.length === 0 ? name : [`name=${name}`, ...parts].join(",");
}

function limitFlags(host: HostConfig): string[] {
  const values: readonly (readonly [string, string | number | null | undefined])[] = [
    ["--memory", host.Memory],
    ["--memory-swap", host.MemorySwap],
    ["--memory-reservation", host.MemoryReservation],
    ["--cpus", host.NanoCpus ? host.NanoCpus / 1e9 : undefined],
    ["--cpu-shares", host.CpuShares],
    ["--cpu-quota", host.CpuQuota],
    ["--cpu-period", host.CpuPeriod],
    ["--cpuset-cpus", host.CpusetCpus],
    ["--cpuset-mems", host.CpusetMems],
    ["--pids-limit", host.PidsLimit],
  ];
  return values.flatMap(([flag, value]) => (value ? [flag, String(value)] : []));
}

function healthFlags(check: Healthcheck | null | undefined): string[] {
  const [kind, ...words] = check?.Test ?? [];
  if (check === null || check === undefined || kind === undefined) return [];
  if (kind === "NONE") return ["--no-healthcheck"];
  const seconds = (flag: string, value: number | undefined) => (value ? [flag, `${value / 1e6}ms`] : []);
  return [
    "--health-cmd",
    kind === "CMD" ? words.map(quoted).join(" ") : words.join(" "),
    ...seconds("--health-interval", check.Interval),
    ...seconds("--health-timeout", check.Timeout),
    ...seconds("--health-start-period", check.StartPeriod),
    ...seconds("--health-start-interval", check.StartInterval),
    ...(check.Retries ? ["--health-retries", String(check.Retries)] : []),
  ];
}

/** As a shell reads it back. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
