import type { ContainerInspect, HostConfig } from "#formats/docker/container.ts";
import type { ImageDefaults, RecreateInput } from "./contract.ts";

/** What was asked for beyond the image, in the words both forms need. */
export interface Facts {
  readonly name: string;
  readonly image: string;
  readonly host: HostConfig;
  readonly config: ContainerInspect["Config"];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: the image's own. */
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[];
  readonly hostname: string | undefined;
  /** "127.0.0.1:8080:80/tcp" */
  readonly ports: readonly string[];
  /** "source:target[:ro]" */
  readonly volumes: readonly string[];
  readonly networks: readonly NetworkFacts[];
  /** "host", "none", "container:x"; undefined when it is in networks. */
  readonly networkMode: string | undefined;
}

export interface NetworkFacts {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly address?: string;
  readonly address6?: string;
}

export function factsOf({ container, image = {} }: RecreateInput): Facts {
  const { Config: config, HostConfig: host } = container;
  const words = (value: readonly string[] | string | null | undefined) =>
    value === null || value === undefined ? [] : typeof value === "string" ? [value] : value;
  const entrypoint = words(config.Entrypoint);
  const ownEntrypoint = same(entrypoint, image.Entrypoint ?? []) ? undefined : entrypoint;
  const command = words(config.Cmd);
  const own = ownEntrypoint === undefined && same(command, image.Cmd ?? []);
  const mode = host.NetworkMode ?? "";
  const inNetworks = !["host", "none"].includes(mode) && !mode.startsWith("container:");
  return {
    name: container.Name.replace(/^\//, ""),
    image: config.Image ?? container.Image,
    host,
    config,
    env: (config.Env ?? []).filter((entry) => !(image.Env ?? []).includes(entry)),
    labels: Object.fromEntries(
      Object.entries(config.Labels ?? {}).filter(([name, value]) => image.Labels?.[name] !== value),
    ),
    entrypoint: ownEntrypoint,
    command: own ? [] : command,
    hostname: config.Hostname === container.Id.slice(0, 12) ? undefined : config.Hostname || undefined,
    ports: portsOf(host),
    volumes: volumesOf(container, image),
    networks: inNetworks ? networksOf(container) : [],
    networkMode: inNetworks ? undefined : mode,
  };
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, at) => word === b[at]);
}

function portsOf({ PortBindings }: HostConfig): string[] {
  return Object.entries(PortBindings ?? {}).flatMap(([inside, bindings]) =>
    (bindings ?? [{}]).map(({ HostIp = "", HostPort = "" }) => {
      const address = HostIp.includes(":") ? `[${HostIp}]` : HostIp;
      const outside = address === "" ? HostPort : `${address}:${HostPort}`;
      return outside === "" ? inside : `${outside}:${inside}`;
    }),
  );
}

/** Anonymous volumes that the image declares come by themselves. */
function volumesOf(container: ContainerInspect, image: ImageDefaults): string[] {
  return container.Mounts.filter(({ Type }) => Type === "bind" || Type === "volume").flatMap((mount) => {
    const anonymous = mount.Type === "volume" && /^[0-9a-f]{64}$/.test(mount.Name ?? "");
    if (anonymous && image.Volumes?.[mount.Destination] !== undefined) return [];
    if (anonymous) return [mount.Destination];
    const source = mount.Type === "volume" ? (mount.Name ?? "") : mount.Source;
    return [`${source}:${mount.Destination}${mount.RW ? "" : ":ro"}`];
  });
}

function networksOf(container: ContainerInspect): NetworkFacts[] {
  const { Networks } = container.NetworkSettings;
  const names = Object.keys(Networks);
  if (names.length === 1 && names[0] === "bridge") return [];
  return names.map((name) => {
    const { Aliases, IPAMConfig } = Networks[name]!;
    return {
      name,
      aliases: Aliases ?? [],
      ...(IPAMConfig?.IPv4Address ? { address: IPAMConfig.IPv4Address } : {}),
      ...(IPAMConfig?.IPv6Address ? { address6: IPAMConfig.IPv6Address } : {}),
    };
  });
}
