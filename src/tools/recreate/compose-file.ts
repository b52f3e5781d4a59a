import { defaultShmSize, type Healthcheck } from "#formats/docker/container.ts";
import type { RecreateInput } from "./contract.ts";
import { type Facts, factsOf } from "./facts.ts";

/** A compose file with the container as its one service; networks and volumes are taken as they are there. */
export function composeFile(input: RecreateInput): string {
  const facts = factsOf(input);
  const named = facts.volumes.flatMap((volume) => (/^[^/:]+:/.test(volume) ? [volume.split(":", 1)[0]!] : []));
  const external = { external: true };
  return Bun.YAML.stringify(
    filled({
      services: { [serviceName(facts.name)]: service(facts) },
      networks: Object.fromEntries(facts.networks.map(({ name }) => [name, external])),
      volumes: Object.fromEntries(named.map((name) => [name, external])),
    }),
    null,
    2,
  );
}

function serviceName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9_-]/g, "-");
}

function service({ config, host, ...facts }: Facts): object {
  const { RestartPolicy: restart } = host;
  const retries = restart?.MaximumRetryCount ? `:${restart.MaximumRetryCount}` : "";
  return filled({
    image: facts.image,
    container_name: facts.name,
    command: facts.command.map(dollars),
    entrypoint: facts.entrypoint?.map(dollars),
    environment: facts.env.map(dollars),
    labels: Object.fromEntries(Object.entries(facts.labels).map(([name, value]) => [name, dollars(value)])),
    hostname: facts.hostname,
    user: config.User,
    working_dir: config.WorkingDir,
    stdin_open: config.OpenStdin,
    tty: config.Tty,
    restart: restart?.Name === "no" ? undefined : `${restart?.Name ?? ""}${retries}`,
    ports: facts.ports,
    volumes: facts.volumes,
    tmpfs: Object.entries(host.Tmpfs ?? {}).map(([path, options]) => (options === "" ? path : `${path}:${options}`)),
    network_mode: facts.networkMode,
    networks: Object.fromEntries(
      facts.networks.map(({ name, aliases, address, address6 }) => [
        name,
        filled({ aliases, ipv4_address: address, ipv6_address: address6 }),
      ]),
    ),
    dns: host.Dns,
    extra_hosts: host.ExtraHosts,
    mem_limit: host.Memory || undefined,
    cpus: host.NanoCpus ? host.NanoCpus / 1e9 : undefined,
    pids_limit: host.PidsLimit || undefined,
    privileged: host.Privileged,
    cap_add: host.CapAdd,
    cap_drop: host.CapDrop,
    security_opt: host.SecurityOpt,
    group_add: host.GroupAdd,
    devices: (host.Devices ?? []).map(
      (device) => `${device.PathOnHost}:${device.PathInContainer}:${device.CgroupPermissions}`,
    ),
    device_cgroup_rules: host.DeviceCgroupRules,
    pid: host.PidMode,
    uts: host.UTSMode,
    ipc: host.IpcMode === "private" ? undefined : host.IpcMode,
    sysctls: host.Sysctls,
    ulimits: Object.fromEntries((host.Ulimits ?? []).map(({ Name, Soft, Hard }) => [Name, { soft: Soft, hard: Hard }])),
    read_only: host.ReadonlyRootfs,
    init: host.Init,
    shm_size: host.ShmSize === defaultShmSize ? undefined : host.ShmSize || undefined,
    stop_signal: config.StopSignal,
    stop_grace_period: config.StopTimeout ? `${config.StopTimeout}s` : undefined,
    healthcheck: health(config.Healthcheck),
    annotations: host.Annotations,
  });
}

function health(check: Healthcheck | null | undefined): object | undefined {
  if (check === null || check === undefined || (check.Test ?? []).length === 0) return undefined;
  const time = (value: number | undefined) => (value ? `${value / 1e6}ms` : undefined);
  return filled({
    test: check.Test?.map(dollars),
    interval: time(check.Interval),
    timeout: time(check.Timeout),
    start_period: time(check.StartPeriod),
    start_interval: time(check.StartInterval),
    retries: check.Retries || undefined,
  });
}

/** Compose takes $ for a variable. */
function dollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** Without what says nothing: empty lists and tables, false, "". */
function filled<T extends object>(values: T): Partial<T> {
  const says = (value: unknown) =>
    value !== undefined &&
    value !== null &&
    value !== false &&
    value !== "" &&
    !(typeof value === "object" && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => says(value))) as Partial<T>;
}
