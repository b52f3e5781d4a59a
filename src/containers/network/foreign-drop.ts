import { listRules } from "#base/system/nftables/nft.ts";
import type { ForeignDrop } from "./contract.ts";

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** Forward chains of other programs that drop by default: they would swallow the containers' packets. */
export async function findForeignDrops(bridge = "gantry0", table = "gantry"): Promise<readonly ForeignDrop[]> {
  const listed = (await listRules(["chains"])) as { nftables?: readonly { readonly chain?: Chain }[] } | undefined;
  const chains = (listed?.nftables ?? []).flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
  return foreignDrops(chains, bridge, table);
}

/** Pure, for the tests: the exact command for each. */
export function foreignDrops(chains: readonly Chain[], bridge: string, ownTable: string): readonly ForeignDrop[] {
  const forward = chains.filter(
    ({ family, table, hook, policy }) =>
      hook === "forward" && policy === "drop" && table !== ownTable && (family === "ip" || family === "inet"),
  );
  const has = (name: string) => chains.some((chain) => chain.name === name);
  return forward.map(({ family, table, name }) => {
    if (family === "ip" && table === "filter" && name === "FORWARD") {
      if (has("ufw-user-forward")) {
        return {
          found: "ufw drops forwarded packets",
          remedy: `ufw route allow in on ${bridge} && ufw route allow out on ${bridge}`,
        };
      }
      const chain = has("DOCKER-USER") ? "DOCKER-USER" : "FORWARD";
      const who =
        chain === "FORWARD"
          ? "iptables' FORWARD chain drops by default"
          : "Docker made iptables' FORWARD chain drop by default";
      return {
        found: who,
        remedy: `iptables -I ${chain} -i ${bridge} -j ACCEPT && iptables -I ${chain} -o ${bridge} -j ACCEPT`,
      };
    }
    return {
      found: `the chain ${name} of the nftables table ${family} ${table} drops forwarded packets`,
      remedy: `nft insert rule ${family} ${table} ${name} iifname ${bridge} accept && nft insert rule ${family} ${table} ${name} oifname ${bridge} accept`,
    };
  });
}
