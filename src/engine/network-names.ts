import { createHash } from "node:crypto";

/** The bridge and the nftables table of an engine: one engine has the plain names, others carry a mark of their own. */
export function networkNames(runRoot: string): { readonly bridge: string; readonly table: string } {
  if (runRoot === "/run/gantry") return { bridge: "gantry0", table: "gantry" };
  const mark = createHash("sha256").update(runRoot).digest("hex").slice(0, 8);
  return { bridge: `gantry${mark}`, table: `gantry-${mark}` };
}
