import type { Places } from "#base/core/places.ts";

/** What the engine keeps of its caller's environment; everything else would make two starts differ. */
const kept = [
  "PATH",
  "HOME",
  "LANG",
  "TZ",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

const systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export function engineEnvironment(
  places: Places,
  from: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const env: Record<string, string> = { GANTRY_DATA_ROOT: places.dataRoot, GANTRY_RUN_ROOT: places.runRoot };
  for (const name of [...kept, ...Object.keys(from).filter((name) => name.startsWith("GANTRY_"))]) {
    const value = from[name];
    if (value !== undefined && env[name] === undefined) env[name] = value;
  }
  // An ordinary user's often lacks the folders nft and ip are in.
  const folders = (env.PATH ?? "").split(":").filter((folder) => folder !== "");
  env.PATH = [...folders, ...systemFolders.filter((folder) => !folders.includes(folder))].join(":");
  return env;
}
