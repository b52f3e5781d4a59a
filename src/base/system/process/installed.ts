import { GantryError } from "#base/core/errors.ts";

/** The path of a Debian program. Error "unsupported" naming its package. */
export function installedProgram(name: string, doing: string, debianPackage = name): string {
  const path = Bun.which(name, { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin` });
  if (path !== null) return path;
  throw new GantryError("unsupported", {
    doing,
    because: `${name} is not installed`,
    next: `Run: apt-get install ${debianPackage}`,
  });
}
