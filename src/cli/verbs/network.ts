import type { Command } from "commander";
import { GantryError } from "#base/core/errors.ts";
import type { NetworkCreateBody, NetworkInspect } from "#formats/docker/network.ts";
import { confirm } from "../confirm.ts";
import { collect, egressAnnotation } from "../container-flags.ts";
import type { Context, Verb, VerbResult } from "../contract.ts";
import { each } from "../each.ts";
import { filterQuery } from "../filter-flag.ts";
import { ipamConfigs } from "../ipam-flags.ts";
import { type Column, renderList } from "../output/list.ts";
import { labelsCell, shortId } from "../output/words.ts";
import { pairs } from "../pairs-flag.ts";
import { showEach } from "../show-each.ts";

type Run = (act: (context: Context) => Promise<VerbResult>) => Promise<void>;

export const verb: Verb = {
  declare(command, run) {
    declareCreate(command, run);
    declareList(command, run);
    declareInspect(command, run);
    declareMembers(command, run);
    declareRemove(command, run);
    command.argument("[verb]").usage("create|ls|inspect|connect|disconnect|rm|prune [options]");
    command.action((word: string | undefined) =>
      run(async (context) => {
        if (word === undefined) {
          context.stdout.write(command.helpInformation());
          return undefined;
        }
        throw new GantryError("invalid", {
          doing: "run",
          on: `gantry network ${word}`,
          because: "there is no such verb",
          next: "See 'gantry network --help'.",
          details: { usage: true },
        });
      }),
    );
  },
};

interface CreateFlags {
  readonly driver: string;
  readonly subnet: readonly string[];
  readonly gateway: readonly string[];
  readonly ipRange: readonly string[];
  readonly auxAddress: readonly string[];
  readonly ipv6?: boolean;
  readonly internal?: boolean;
  readonly egress: readonly string[];
  readonly attachable?: boolean;
  readonly label: readonly string[];
  readonly opt: readonly string[];
}

function declareCreate(command: Command, run: Run): void {
  command
    .command("create")
    .description("Make a network whose containers know each other by name")
    .argument("<name>")
    .option("-d, --driver <name>", "bridge, macvlan or ipvlan", "bridge")
    .option("--subnet <subnet>", "its addresses, as 10.5.0.0/16", collect, [])
    .option("--gateway <address>", "the bridge's own address", collect, [])
    .option("--ip-range <subnet>", "where addresses are taken from", collect, [])
    .option("--aux-address <name=address>", "an address that is somebody else's", collect, [])
    .option("--ipv6", "IPv6 too")
    .option("--internal", "no way out and none in")
    .option("--egress <address|name>", "where its containers may begin to talk to only; none: nowhere", collect, [])
    .option("--attachable", "taken for Docker's sake; every network is")
    .option("--label <name=value>", "a label", collect, [])
    .option("-o, --opt <name=value>", "an option of the driver, as parent=eth0", collect, [])
    .action((name: string, flags: CreateFlags) =>
      run(async (context) => {
        const client = await context.client();
        const body: NetworkCreateBody = {
          Name: name,
          Driver: flags.driver,
          Internal: flags.internal === true,
          Attachable: flags.attachable === true,
          EnableIPv6: flags.ipv6 === true,
          IPAM: { Config: ipamConfigs(flags) },
          Labels: pairs(flags.label, "label"),
          Options: { ...pairs(flags.opt, "opt"), ...egressAnnotation(flags.egress) },
        };
        const { Id } = await client.request<{ Id: string }>("POST", "/networks/create", { json: body });
        context.stdout.write(`${Id}\n`);
        return undefined;
      }),
    );
}

const columns = (trunc: boolean): readonly Column<NetworkInspect>[] => [
  { title: "NETWORK ID", field: "ID", cell: (network) => (trunc ? shortId(network.Id) : network.Id) },
  { title: "NAME", field: "Name", cell: (network) => network.Name },
  { title: "DRIVER", field: "Driver", cell: (network) => network.Driver },
  { title: "SCOPE", field: "Scope", cell: (network) => network.Scope },
  { title: "", field: "IPv6", cell: (network) => String(network.EnableIPv6) },
  { title: "", field: "Internal", cell: (network) => String(network.Internal) },
  { title: "", field: "CreatedAt", cell: (network) => network.Created },
  {
    title: "",
    field: "Labels",
    cell: (network) => labelsCell(network.Labels),
  },
];

interface ListFlags {
  readonly filter: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly trunc: boolean;
}

function declareList(command: Command, run: Run): void {
  command
    .command("ls")
    .alias("list")
    .description("List networks")
    .option("-f, --filter <name=value>", "only some, as driver=bridge", collect, [])
    .option("--format <format>", "json, table, or a template like {{.Name}}")
    .option("--json", "one JSON object a line")
    .option("--no-trunc", "whole ids")
    .option("-q, --quiet", "ids only")
    .action((options: ListFlags) =>
      run(async (context) => {
        const client = await context.client();
        const networks = await client.request<NetworkInspect[]>("GET", "/networks", {
          query: { filters: filterQuery(options.filter) },
        });
        const sorted = networks.toSorted((a, b) => a.Name.localeCompare(b.Name));
        const id = (network: NetworkInspect) => (options.trunc ? shortId(network.Id) : network.Id);
        context.stdout.write(renderList(sorted, columns(options.trunc), options, id));
        return undefined;
      }),
    );
}

function declareInspect(command: Command, run: Run): void {
  command
    .command("inspect")
    .description("Show all that is known of networks, their containers too")
    .argument("<network...>", "names or ids")
    .option("-f, --format <format>", "json, or a template like {{.Driver}}")
    .option("--json", "as it is by default")
    .action((names: string[], options: { format?: string }) =>
      run(async (context) => {
        const client = await context.client();
        return await showEach(context, names, options.format, (name) =>
          client.request("GET", `/networks/${encodeURIComponent(name)}`),
        );
      }),
    );
}

interface ConnectFlags {
  readonly alias: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly gwPriority?: string;
  readonly macAddress?: string;
}

function declareMembers(command: Command, run: Run): void {
  command
    .command("connect")
    .description("Put a container into one more network, also while it runs")
    .argument("<network>")
    .argument("<container>")
    .option("--alias <name>", "a name it has in this network", collect, [])
    .option("--ip <address>", "its IPv4 address")
    .option("--ip6 <address>", "its IPv6 address")
    .option("--mac-address <address>", "its MAC address")
    .option("--gw-priority <number>", "the highest of its networks has the way out")
    .action((network: string, container: string, flags: ConnectFlags) =>
      run(async (context) => {
        const client = await context.client();
        await client.request("POST", `/networks/${encodeURIComponent(network)}/connect`, {
          json: {
            Container: container,
            EndpointConfig: {
              IPAMConfig: { IPv4Address: flags.ip ?? "", IPv6Address: flags.ip6 ?? "" },
              Aliases: flags.alias,
              MacAddress: flags.macAddress ?? "",
              GwPriority: Number(flags.gwPriority ?? 0),
            },
          },
        });
        return undefined;
      }),
    );
  command
    .command("disconnect")
    .description("Take a container out of a network, also while it runs")
    .argument("<network>")
    .argument("<container>")
    .option("-f, --force", "no error when the container has gone")
    .action((network: string, container: string, { force }: { force?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        await client.request("POST", `/networks/${encodeURIComponent(network)}/disconnect`, {
          json: { Container: container, Force: force === true },
        });
        return undefined;
      }),
    );
}

function declareRemove(command: Command, run: Run): void {
  command
    .command("rm")
    .alias("remove")
    .description("Remove networks")
    .argument("<network...>", "names or ids")
    .action((names: string[]) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          await client.request("DELETE", `/networks/${encodeURIComponent(name)}`);
          return name;
        });
      }),
    );
  command
    .command("prune")
    .description("Remove networks no container wants")
    .option("--filter <name=value>", "only some, as until=24h", collect, [])
    .option("-f, --force", "do not ask")
    .action((options: { filter: string[]; force?: boolean }) =>
      run(async (context) => {
        const question =
          "WARNING! This will remove all networks that no container uses.\nAre you sure you want to continue?";
        if (options.force !== true && !(await confirm(context, question))) {
          context.stderr.write("Nothing was removed.\n");
          return 1;
        }
        const client = await context.client();
        const answer = await client.request<{ NetworksDeleted: string[] | null }>("POST", "/networks/prune", {
          query: { filters: filterQuery(options.filter) },
        });
        const names = answer.NetworksDeleted ?? [];
        if (names.length > 0) context.stdout.write(`Deleted Networks:\n${names.map((name) => `${name}\n`).join("")}\n`);
        return undefined;
      }),
    );
}
