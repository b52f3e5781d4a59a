import { existsSync, realpathSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { size } from "../output/words.ts";
import { type Finding, missing, ok, warning } from "./finding.ts";
import { type Mount, mountOf } from "./mounts.ts";

const network = new Set(
  "nfs nfs4 cifs smb3 smbfs 9p ceph lustre gpfs beegfs afs fuse.sshfs fuse.glusterfs glusterfs ocfs2 gfs2".split(" "),
);
/** They cannot hold what containers write: no overlay upper, no extended attributes, no devices. */
const unfit = new Set("overlay vfat exfat msdos ntfs ntfs3 fuseblk fuse.ntfs squashfs iso9660".split(" "));

const gigabyte = 1_000_000_000;

/** Room and kind of the file system that holds, or will hold, the data root. */
export function checkDataRoot(root: string, mounts: readonly Mount[]): Finding[] {
  let place = root;
  while (!existsSync(place)) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  const type = mountOf(mounts, realpathSync(place))?.type ?? "unknown";
  return [fileSystem(root, type), room(root, bavail * bsize)];
}

export function fileSystem(root: string, type: string): Finding {
  const subject = "data root";
  const elsewhere = "Set GANTRY_DATA_ROOT to a folder on a local disk with ext4, xfs or btrfs.";
  if (unfit.has(type)) return missing(subject, `${root} is on ${type}, which cannot hold containers`, elsewhere);
  if (network.has(type)) {
    return warning(subject, `${root} is on ${type}, a network file system: slow, and it may lose locks`, elsewhere);
  }
  if (type === "tmpfs") return warning(subject, `${root} is in memory: a reboot empties it`, elsewhere);
  return ok(subject, `${root} on ${type}`);
}

export function room(root: string, bytes: number): Finding {
  const subject = "free space";
  const found = `${size(bytes)} at ${root}`;
  if (bytes < gigabyte / 5) return missing(subject, `${found}: no image fits`, "gantry prune --all");
  if (bytes < 5 * gigabyte) return warning(subject, `${found}: few images fit`, "gantry prune --all");
  return ok(subject, found);
}
