import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import type { Builder, Engine, Undo } from "../contract.ts";
import { ownCgroup } from "./cgroups.ts";
import { openNamespaces } from "./namespace.ts";

/** Debian's podman and buildah on crun and netavark, as root, with roots of their own; both share one storage. */
export async function startPodman(
  undo: Undo,
  scratch: string,
  rootfs: string,
): Promise<{ readonly engine: Engine; readonly buildah: Builder }> {
  const folder = join(scratch, "podman");
  mkdirSync(folder, { recursive: true });
  for (const name of ["libpod_parent", "buildah"]) ownCgroup(undo, name);
  const covered = ["/dev/shm", "/run/netns", "/run/libpod", "/var/lib/containers"];
  const names = await openNamespaces(undo, { withoutUnified: true, covered });
  const settings = join(folder, "containers.conf");
  writeFileSync(settings, containersConf(join(folder, "networks")));
  const env = { CONTAINERS_CONF: settings };
  const storage = ["--root", join(folder, "data"), "--runroot", join(folder, "run"), "--storage-driver", "overlay"];
  const command = (...words: string[]) => ({
    words: [...names.enter, "podman", ...storage, "--tmpdir", join(folder, "tmp"), ...words],
    env,
  });
  const image = "localhost/busybox";
  const close = undo.add("podman's containers", async () => {
    await run(command("rm", "--all", "--force", "--time", "0"));
    await names.close();
  });
  await run(command("import", "-c", 'CMD ["sh"]', rootfs, image));
  await run(command("run", "--rm", image, "true"));
  const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];
  return {
    engine: {
      name: "podman",
      version: (await run(command("version", "--format", "{{.Client.Version}}"))).out,
      image,
      remove: ["rm", "-f", "--time", "0"],
      command,
      processes: () => Promise.resolve([]),
      [Symbol.asyncDispose]: close,
    },
    buildah: {
      name: "buildah",
      build: (context, tag, cold) => ({
        words: [
          ...[...names.enter, "buildah", ...storage, "bud", "--layers", "--pull-never", "--network", "none", ...limits],
          ...(cold ? ["--no-cache"] : []),
          ...["-f", join(context, "Dockerfile"), "-t", tag, context],
        ],
        env,
      }),
    },
  };
}

// The limits are below the machine's own: podman's defaults would raise them, which needs a right root may not have here.
const containersConf = (networks: string) => `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
[network]
network_backend = "netavark"
network_config_dir = "${networks}"
`;
