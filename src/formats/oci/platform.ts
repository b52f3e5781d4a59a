import { GantryError } from "#base/core/errors.ts";
import type { Descriptor, Platform } from "./contract.ts";
import { compact } from "./json-fields.ts";

interface Machine {
  readonly architecture: string;
  readonly variant?: string;
}

/** uname's and Node's words for what OCI names as Go does (containerd/platforms does the same). */
const machines: Readonly<Record<string, Machine>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  x64: { architecture: "amd64" },
  i386: { architecture: "386" },
  i686: { architecture: "386" },
  ia32: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
  ppc64el: { architecture: "ppc64le" },
};

/** Parses "linux/arm64/v8", "arm64" or "linux". Error "invalid". */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9][a-z0-9_.-]*$/.test(part)))
    throw new GantryError("invalid", {
      doing: "read the platform",
      on: text.slice(0, 100),
      because: "it is not OS/ARCH or OS/ARCH/VARIANT",
      next: "Write it as linux/amd64 or linux/arm64.",
    });
  const host = hostPlatform();
  if (parts.length === 1) {
    if (parts[0] === "linux" || parts[0] === "windows" || parts[0] === "darwin")
      return normalizePlatform({ ...host, os: parts[0] });
    return normalizePlatform({ os: "linux", architecture: parts[0]! });
  }
  return normalizePlatform(compact<Platform>({ os: parts[0]!, architecture: parts[1]!, variant: parts[2] }));
}

/** One spelling for one machine: arm64 has no v8, arm has v7 unless it says else, amd64 no v1. */
export function normalizePlatform(platform: Platform): Platform {
  const machine = machines[platform.architecture.toLowerCase()];
  const architecture = machine?.architecture ?? platform.architecture.toLowerCase();
  const asked = platform.variant?.toLowerCase() || machine?.variant;
  const variant = oneVariant(architecture, asked);
  const { variant: _, ...rest } = platform;
  return compact<Platform>({ ...rest, os: platform.os.toLowerCase(), architecture, variant });
}

function oneVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === "arm64") return variant === "v8" || variant === "8" ? undefined : variant;
  if (architecture === "amd64") return variant === "v1" ? undefined : variant;
  if (architecture === "arm") return /^[5-8]$/.test(variant ?? "") ? `v${variant}` : (variant ?? "v7");
  return variant;
}

export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant === undefined ? base : `${base}/${platform.variant}`;
}

/** What runs here without emulation. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: process.arch });
}

/**
 * How well `offered` runs where `wanted` was asked for: 0 not at all; more is better. A newer variant never runs on an
 * older machine; an older one runs on a newer.
 */
export function platformFit(wanted: Platform, offered: Platform): number {
  const want = normalizePlatform(wanted);
  const offer = normalizePlatform(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return 0;
  const most = level(want);
  const has = level(offer);
  return has > most ? 0 : 100 - (most - has);
}

function level(platform: Platform): number {
  const base: Readonly<Record<string, number>> = { amd64: 1, arm64: 8 };
  return Number(/^v(\d+)/.exec(platform.variant ?? "")?.[1] ?? base[platform.architecture] ?? 0);
}

/** The index entry to use for `wanted`: the best fit, else the only one that names no platform. */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  let best: { descriptor: Descriptor; fit: number } | undefined;
  for (const descriptor of manifests) {
    const fit = descriptor.platform === undefined ? 0 : platformFit(wanted, descriptor.platform);
    if (fit > (best?.fit ?? 0)) best = { descriptor, fit };
  }
  const unnamed = manifests.filter((descriptor) => descriptor.platform === undefined);
  return best?.descriptor ?? (unnamed.length === 1 ? unnamed[0] : undefined);
}
