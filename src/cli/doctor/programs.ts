import { type Finding, missing, ok, warning } from "./finding.ts";

interface Program {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  /** What does not work without it. */
  readonly purpose: string;
  readonly needed: boolean;
}

const programs: readonly Program[] = [
  { name: "crun", package: "crun", purpose: "containers cannot run", needed: true },
  { name: "conmon", package: "conmon", purpose: "containers cannot run", needed: true },
  { name: "nft", package: "nftables", purpose: "containers have no network", needed: true },
  { name: "nsenter", package: "util-linux", purpose: "the engine cannot start", needed: true },
  { name: "flock", package: "util-linux", purpose: "the engine cannot start", needed: true },
  { name: "catatonit", package: "catatonit", purpose: "run --init does not work", needed: false },
  { name: "mmdebstrap", package: "mmdebstrap", purpose: "bootstrap does not work", needed: false },
  { name: "xz", package: "xz-utils", purpose: "xz archives cannot be read", needed: false },
];

/** Without root the Holder takes more; of two that make its network one is enough. */
const usersPrograms: readonly Program[] = [
  { name: "rootlesskit", package: "rootlesskit", purpose: "the engine cannot start without root", needed: true },
  { name: "newuidmap", package: "uidmap", purpose: "the engine cannot start without root", needed: true },
  { name: "newgidmap", package: "uidmap", purpose: "the engine cannot start without root", needed: true },
  { name: "catatonit", package: "catatonit", purpose: "the engine cannot start without root", needed: true },
  { name: "slirp4netns", package: "slirp4netns", purpose: "there is no network without root", needed: true },
];

const installers: readonly (readonly [string, string])[] = [
  ["apt-get", "apt-get install"],
  ["dnf", "dnf install"],
  ["zypper", "zypper install"],
  ["pacman", "pacman -S"],
  ["apk", "apk add"],
];

/** `which` looks in the system's folders too: an ordinary user's PATH often lacks /usr/sbin. */
export function checkPrograms(uid: number, which: (name: string) => string | null = findProgram): Finding[] {
  const install = installers.find(([tool]) => which(tool) !== null)?.[1] ?? "install the package";
  const own = uid === 0 ? [] : usersPrograms.filter(({ name }) => name !== "slirp4netns" || which("pasta") === null);
  const others = programs.filter(({ name }) => !own.some((program) => program.name === name));
  return [...others, ...own].map((program) => {
    const path = which(program.name);
    if (path !== null) return ok(program.name, path);
    const remedy = `${install} ${program.package}`;
    const found = `not installed: ${program.purpose}`;
    return program.needed ? missing(program.name, found, remedy) : warning(program.name, found, remedy);
  });
}

export function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin` });
}
