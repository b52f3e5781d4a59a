/** Why each thing is changed is data: `gantry build --explain-normalise` prints it. */
export interface RemovalRule {
  readonly name: string;
  readonly reason: string;
  /** Paths below the root, exact. Only a regular file is removed, only one that a RUN of this very layer wrote. */
  readonly paths: readonly string[];
}

export const removalRules: readonly RemovalRule[] = [
  {
    name: "package-logs",
    reason: "package managers write the time of day and terminal output into their logs",
    paths: [
      "var/log/dpkg.log",
      "var/log/apt/history.log",
      "var/log/apt/term.log",
      "var/log/apt/eipp.log.xz",
      "var/log/alternatives.log",
      "var/log/bootstrap.log",
      "var/log/fontconfig.log",
      "var/log/dnf.log",
      "var/log/dnf.librepo.log",
      "var/log/dnf.rpm.log",
      "var/log/hawkey.log",
      "var/log/yum.log",
      "var/log/apk.log",
    ],
  },
  {
    name: "apt-binary-caches",
    reason: "apt's parsed lists hold addresses of the process that wrote them; apt makes them again when needed",
    paths: ["var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin"],
  },
  {
    name: "linker-aux-cache",
    reason: "ldconfig's auxiliary cache holds inode numbers and times; only the next ldconfig reads it",
    paths: ["var/cache/ldconfig/aux-cache"],
  },
  {
    name: "old-backups",
    reason: "dpkg, debconf and shadow keep the state before the last change; it depends on the order of changes",
    paths: [
      "var/lib/dpkg/status-old",
      "var/lib/dpkg/available-old",
      "var/lib/dpkg/diversions-old",
      "var/lib/dpkg/statoverride-old",
      "var/cache/debconf/config.dat-old",
      "var/cache/debconf/templates.dat-old",
      "var/cache/debconf/passwords.dat-old",
      "etc/passwd-",
      "etc/group-",
      "etc/shadow-",
      "etc/gshadow-",
      "etc/subuid-",
      "etc/subgid-",
    ],
  },
];

/** A change that is no removal. */
export const pycRule = {
  name: "pyc-times",
  reason: "a compiled Python file names its source's time; the source's time is normalised, so this one is too",
} as const;

/** Things that differ from build to build and that only the author can settle: reported, never touched. */
export const reports: readonly { readonly path: RegExp; readonly because: string; readonly next: string }[] = [
  {
    path: /^etc\/ssh\/ssh_host_[a-z0-9]+_key$/,
    because: "holds a host key made at random; every container of the image shares it",
    next: "Add to the RUN: rm -f /etc/ssh/ssh_host_*_key*",
  },
  {
    path: /^etc\/ssl\/private\/ssl-cert-snakeoil\.key$/,
    because: "holds a private key made at random",
    next: "Add to the RUN: rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem",
  },
  {
    path: /^(?:etc\/machine-id|var\/lib\/dbus\/machine-id)$/,
    because: "holds a random id of one machine",
    next: "Add to the RUN: : > /etc/machine-id",
  },
];
