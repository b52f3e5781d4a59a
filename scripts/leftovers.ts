import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What a run of Gantry can leave on a machine: mounts, network namespaces, links, cgroups, processes, nft tables. */
export async function leftovers(): Promise<string[]> {
  return [...mounts(), ...links(), ...cgroups(), ...processes(), ...(await tables())];
}

function mounts(): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => /gantry/.test(line))
    .map((line) => `mount ${line.split(" ")[1]}`);
}

function links(): string[] {
  return readdirSync("/sys/class/net")
    .filter((name) => name.startsWith("gantry") || name.startsWith("gt"))
    .map((name) => `link ${name}`);
}

function cgroups(): string[] {
  const found: string[] = [];
  const walk = (path: string, depth: number) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      if (entry.name.startsWith("gantry")) found.push(`cgroup ${path}/${entry.name}`);
      else if (depth < 2) walk(`${path}/${entry.name}`, depth + 1);
    }
  };
  walk("/sys/fs/cgroup", 0);
  return found;
}

function processes(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const exe = readlinkSync(`/proc/${pid}/exe`);
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      if (/\/(conmon|catatonit)$/.test(exe)) found.push(`process ${pid} ${line.slice(0, 120)}`);
      else if (/src\/main\.ts engine|dist\/gantry engine/.test(line))
        found.push(`process ${pid} ${line.slice(0, 120)}`);
    } catch (error) {
      // A process that ended while we looked, or a kernel thread without an exe, is no leftover.
      if (!["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return found;
}

async function tables(): Promise<string[]> {
  const child = Bun.spawn(["nft", "list", "tables"], { stdout: "pipe", stderr: "ignore" });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.split("\n").filter((line) => /gantry/.test(line));
}
