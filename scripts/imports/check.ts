import { dirname, join, normalize, relative } from "node:path";
import { compositionRoots, type Floor, floors, onlyImporterOf } from "./rules.ts";

const source = join(import.meta.dir, "../../src");
const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|new URL\(\s*)["']([^"']+)["']/g;

interface Place {
  readonly floor: number;
  readonly room: number;
  readonly name: string;
}

function place(path: string): Place | undefined {
  const [floorName, roomName] = path.split("/");
  const floor = floors.findIndex((candidate) => candidate.path === floorName);
  if (floor === -1) return undefined;
  const rooms = floors[floor]!.rooms;
  const room = rooms.length === 0 ? 0 : rooms.indexOf(roomName!);
  return { floor, room, name: rooms.length === 0 ? floorName! : `${floorName}/${roomName}` };
}

function allows(only: readonly string[] | undefined, target: Place, floor: Floor): boolean {
  return only === undefined || only.some((name) => target.name === name || floor.path === name);
}

/** Says why `from` may not import `target`, or nothing when it may. Paths are relative to src. */
export function refusal(from: string, target: string): string | undefined {
  if (compositionRoots.some((root) => from.startsWith(root))) return undefined;
  const here = place(from);
  const there = place(target);
  if (here === undefined || here.room === -1) return `${from} stands in no room of scripts/imports/rules.ts`;
  if (there === undefined || there.room === -1) return `${target} stands in no room of scripts/imports/rules.ts`;
  if (here.floor === there.floor && here.room === there.room) return undefined;
  const down = there.floor > here.floor || (there.floor === here.floor && there.room > here.room);
  if (down)
    return `${here.name} stands above ${there.name}; take what you need as an argument (a port in your contract.ts)`;
  if (!allows(floors[here.floor]!.only, there, floors[there.floor]!)) {
    return `${here.name} runs in the user's process and may not reach ${there.name}; go through client/ and the API`;
  }
  return undefined;
}

export async function checkImports(): Promise<{ modules: number; problems: string[] }> {
  const problems: string[] = [];
  let modules = 0;
  for await (const file of new Bun.Glob("**/*.{ts,tsx}").scan(source)) {
    modules += 1;
    const isTest = /\.test\.tsx?$/.test(file) || file.includes("/testing/");
    const text = await Bun.file(join(source, file)).text();
    for (const [, specifier] of text.matchAll(importPattern)) {
      const owner = onlyImporterOf[specifier as keyof typeof onlyImporterOf];
      if (owner !== undefined && !file.startsWith(owner))
        problems.push(`${file}: only ${owner} may import ${specifier}`);
      const target = specifier!.startsWith("#")
        ? specifier!.slice(1)
        : specifier!.startsWith(".")
          ? normalize(join(dirname(file), specifier!))
          : undefined;
      if (target === undefined || relative(".", target).startsWith("..")) continue;
      const why = isTest ? undefined : refusal(file, target);
      if (why !== undefined) problems.push(`${file} imports ${target}: ${why}`);
    }
  }
  if (modules === 0) problems.push("no module was read: the check itself is broken");
  return { modules, problems };
}

if (import.meta.main) {
  const { modules, problems } = await checkImports();
  for (const problem of problems) console.error(problem);
  console.log(`imports: ${modules} modules, ${problems.length} problems`);
  process.exit(problems.length === 0 ? 0 : 1);
}
