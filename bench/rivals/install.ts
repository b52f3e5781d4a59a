import { existsSync } from "node:fs";
import { run } from "../command.ts";

const needed = [
  ["docker.io", "/usr/sbin/dockerd"],
  ["podman", "/usr/bin/podman"],
  ["buildah", "/usr/bin/buildah"],
  ["netavark", "/usr/lib/podman/netavark"],
  ["iptables", "/usr/sbin/iptables"],
  ["docker-registry", "/usr/bin/docker-registry"],
  ["skopeo", "/usr/bin/skopeo"],
  ["e2fsprogs", "/usr/sbin/mkfs.ext4"],
] as const;

/** Installs from Debian what is missing. Packages stay: they are the machine's, not the run's. */
export async function installRivals(say: (text: string) => void): Promise<void> {
  const missing = needed.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  say(`installing from Debian: ${missing.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await run({ words: ["apt-get", "update", "-qq"], env });
  await run({ words: ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing], env });
}
