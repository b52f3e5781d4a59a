import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxTar } from "./busybox.ts";
import { makeOrdinaryUser, type OrdinaryUser } from "./ordinary-user.ts";

const root = join(import.meta.dir, "../..");

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A whole engine of its own, as a user has it: its folders, its network, its processes; nothing is left of it. */
export interface TestEngine extends AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs bin/gantry. */
  gantry(...words: string[]): Promise<Result>;
  /** Runs it, expects 0, gives trimmed standard output. */
  ok(...words: string[]): Promise<string>;
  /** Runs bin/gantry with text on standard input. */
  feed(input: string | Uint8Array, ...words: string[]): Promise<Result>;
  /** Runs another program with DOCKER_HOST set to this engine. */
  client(words: readonly string[], input?: string): Promise<Result>;
  pid(): Promise<number>;
}

export async function run(
  words: readonly string[],
  env: Record<string, string>,
  input?: string | Uint8Array,
): Promise<Result> {
  const child = Bun.spawn([...words], {
    env,
    cwd: root,
    stdin: input === undefined ? "ignore" : typeof input === "string" ? Buffer.from(input) : input,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

/** With GANTRY_TEST_ROOTLESS=1 every engine is an ordinary user's: which cases hold there too is then to be seen. */
const rootless = process.env.GANTRY_TEST_ROOTLESS === "1";

export interface StartOptions {
  readonly bare?: boolean;
  readonly keepCache?: boolean;
  readonly program?: string;
  /** Whose engine it is; default root's. */
  readonly user?: OrdinaryUser;
}

/** Starts with the image "busybox" imported, unless `bare`. `program` is bin/gantry of this checkout by default. */
export async function startEngine(options: StartOptions = {}): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-test-"));
  chmodSync(folder, 0o711);
  const own = rootless ? makeOrdinaryUser() : undefined;
  const user = options.user ?? own;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const socket = join(
    options.user === undefined ? join(folder, "run") : join(options.user.run, "gantry"),
    "gantry.sock",
  );
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    ...(options.user === undefined
      ? { HOME: folder, GANTRY_DATA_ROOT: join(folder, "data"), GANTRY_RUN_ROOT: join(folder, "run") }
      : { HOME: options.user.home, XDG_RUNTIME_DIR: options.user.run }),
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONFIG: join(options.user?.home ?? folder, "docker"),
    // Base images of packages take long to make; they are kept in the user's own cache.
    ...(options.keepCache === true
      ? { GANTRY_CACHE: join(process.env.HOME ?? "/root", ".cache/gantry/bootstrap") }
      : {}),
  };
  const { program = join(root, "bin/gantry") } = options;
  const as = user?.prefix ?? [];
  const gantry = (...words: string[]) => run([...as, program, ...words], env);
  const engine: TestEngine = {
    folder,
    socket,
    env,
    gantry,
    async ok(...words) {
      const { code, out, err } = await gantry(...words);
      if (code !== 0) throw new Error(`gantry ${words.join(" ")} ended with ${code}: ${err}${out}`);
      return out.trim();
    },
    feed: (input, ...words) => run([...as, program, ...words], env, input),
    client: (words, input) => run([...as, ...words], env, input),
    async pid() {
      return (JSON.parse((await gantry("info", "--json")).out) as { EnginePid: number }).EnginePid;
    },
    async [Symbol.asyncDispose]() {
      const { out } = await gantry("ps", "-aq");
      const ids = out.split("\n").filter((id) => id !== "");
      if (ids.length > 0) await gantry("rm", "-f", "-v", ...ids);
      const { code, err } = await gantry("engine", "uninstall", "--data");
      rmSync(folder, { recursive: true, force: true });
      own?.[Symbol.dispose]();
      if (code !== 0) throw new Error(`the engine did not go: ${err}`);
    },
  };
  if (options.bare !== true) {
    const tar = join(folder, "busybox.tar");
    writeFileSync(tar, await busyboxTar(), { mode: 0o644 });
    try {
      await engine.ok("import", "-c", 'CMD ["sh"]', tar, "busybox");
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }
  return engine;
}
