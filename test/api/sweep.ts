import type { Api } from "./contract.ts";

/** Takes away what a case left: containers, volumes, networks, and every image but the first. */
export async function sweep({ docker, ask }: Api): Promise<void> {
  for (const { Id } of await docker.listContainers({ all: true })) {
    await ask("DELETE", `/containers/${Id}?force=1&v=1`);
  }
  for (const { Name } of (await docker.listVolumes()).Volumes) await ask("DELETE", `/volumes/${Name}`);
  for (const { Name } of await docker.listNetworks()) {
    if (!["bridge", "host", "none"].includes(Name)) await ask("DELETE", `/networks/${Name}`);
  }
  for (const { Id, RepoTags } of await docker.listImages({ all: true })) {
    const tags = RepoTags ?? [];
    for (const tag of tags) if (tag !== "busybox:latest") await ask("DELETE", `/images/${tag}`);
    if (!tags.includes("busybox:latest")) await ask("DELETE", `/images/${Id}?force=1`);
  }
}
