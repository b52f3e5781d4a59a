import { resolve } from "node:path";
import type { Command } from "commander";
import { GantryError } from "#base/core/errors.ts";
import { collect } from "../container-flags.ts";
import type { Context, VerbResult } from "../contract.ts";
import { groupId } from "../group-id.ts";
import { type Column, renderList } from "../output/list.ts";

interface Access {
  readonly kind: "full" | "read-only" | "allow";
  readonly patterns?: readonly string[];
}

interface Served {
  readonly address: string;
  readonly access: Access;
  readonly tls?: object;
  readonly failure?: string;
}

interface ListenFlags {
  readonly readOnly?: boolean;
  readonly allow: readonly string[];
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly mode?: string;
  readonly group?: string;
}

type Run = (act: (context: Context) => Promise<VerbResult>) => Promise<void>;

/** `engine listen`, `engine addresses`, `engine unlisten`: the API beside its own socket, with less or over TLS. */
export function declareListen(command: Command, run: Run): void {
  command
    .command("listen")
    .description("serve the API at one more address, now and after every start")
    .argument("<address>", "unix:///path or tcp://HOST:PORT")
    .option("--read-only", "for looking: nothing is changed, no files are read")
    .option("--allow <page>", "only these pages, as 'POST /containers/*/restart'", collect, [])
    .option("--tlscacert <file>", "whose signature a client's certificate must bear")
    .option("--tlscert <file>", "the certificate to show")
    .option("--tlskey <file>", "its key")
    .option("--mode <bits>", "permission bits of a unix socket, default 0600")
    .option("--group <group>", "group of a unix socket")
    .action((address: string, flags: ListenFlags) =>
      run(async (context) => {
        const client = await context.client();
        await client.request("POST", "/gantry/v1/addresses", {
          json: { address, access: accessOf(flags), ...tlsOf(flags), ...socketOf(flags) },
        });
        context.stdout.write(`${address}\n`);
        return undefined;
      }),
    );
  command
    .command("unlisten")
    .description("serve the API no longer at an address")
    .argument("<address>")
    .action((address: string) =>
      run(async (context) => {
        const client = await context.client();
        await client.request("DELETE", `/gantry/v1/addresses/${encodeURIComponent(address)}`);
        context.stdout.write(`${address}\n`);
        return undefined;
      }),
    );
  command
    .command("addresses")
    .description("show where the API is served beside its own socket")
    .option("--format <format>", "json, table, or a template like {{.Address}}")
    .option("--json", "one JSON object a line")
    .action((options: { readonly format?: string; readonly json?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        const served = await client.request<Served[]>("GET", "/gantry/v1/addresses");
        context.stdout.write(renderList(served, columns, options, ({ address }) => address));
        return undefined;
      }),
    );
}

const columns: readonly Column<Served>[] = [
  { title: "ADDRESS", field: "Address", cell: ({ address }) => address },
  {
    title: "ACCESS",
    field: "Access",
    cell: ({ access }) => (access.kind === "allow" ? (access.patterns ?? []).join(", ") : access.kind),
  },
  { title: "TLS", field: "TLS", cell: ({ tls }) => String(tls !== undefined) },
  { title: "STATE", field: "State", cell: ({ failure }) => failure ?? "served" },
];

function accessOf({ readOnly, allow }: ListenFlags): Access {
  if (allow.length > 0 && readOnly === true) {
    throw new GantryError("invalid", {
      doing: "read --allow",
      because: "it cannot go together with --read-only",
      next: "Allow the GET pages too, as --allow 'GET /**'.",
    });
  }
  return allow.length > 0 ? { kind: "allow", patterns: allow } : { kind: readOnly === true ? "read-only" : "full" };
}

function tlsOf({ tlscacert, tlscert, tlskey }: ListenFlags): object {
  if (tlscacert === undefined && tlscert === undefined && tlskey === undefined) return {};
  if (tlscacert === undefined || tlscert === undefined || tlskey === undefined) {
    throw new GantryError("invalid", {
      doing: "serve the API with TLS",
      because: "it needs all of --tlscacert, --tlscert and --tlskey",
    });
  }
  // The engine has another working folder.
  return { tls: { ca: resolve(tlscacert), cert: resolve(tlscert), key: resolve(tlskey) } };
}

function socketOf({ mode, group }: ListenFlags): object {
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) {
    throw new GantryError("invalid", { doing: "read --mode", on: mode, because: "it is no mode like 0660" });
  }
  return {
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(group === undefined ? {} : { group: groupId(group) }),
  };
}
