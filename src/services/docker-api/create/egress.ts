import { egressOption } from "#containers/network/contract.ts";
import { parseEgress } from "#containers/network/egress.ts";
import type { HostConfig } from "#formats/docker/container.ts";

/** The Engine API has no field for it; an annotation carries the list. Error "invalid", before anything is made. */
export function egressOf({ Annotations }: HostConfig): { egress?: readonly string[] } {
  const text = Annotations?.[egressOption];
  if (text === undefined) return {};
  const entries = text.split(",");
  parseEgress(entries);
  return { egress: entries };
}
