/** What the command line does without an engine; each call is the real program. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dir, "../bin/gantry");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-cli-"));
});
afterAll(() => {
  // Nothing here may have started an engine.
  const started = existsSync(join(folder, "run/gantry.sock"));
  rmSync(folder, { recursive: true, force: true });
  expect(started).toBe(false);
});

async function run(words: readonly string[], options: { cwd?: string; input?: string } = {}) {
  const child = Bun.spawn([...words], {
    cwd: options.cwd ?? folder,
    env: {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: folder,
      GANTRY_DATA_ROOT: join(folder, "data"),
      GANTRY_RUN_ROOT: join(folder, "run"),
      GANTRY_TEST_TOKEN: "hunter2hunter2",
    },
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

const gantry = (...words: string[]) => run([program, ...words]);

describe("help and mistakes", () => {
  test("--help lists the verbs, and each verb explains itself", async () => {
    const { code, out, err } = await gantry("--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const verbs = [...out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map((match) => match[1]!);
    expect(verbs).toEqual(expect.arrayContaining(["run", "build", "bootstrap", "doctor", "completion"]));
    const answers = await Promise.all(verbs.map((verb) => gantry(verb, "--help")));
    answers.forEach((answer, index) => {
      expect(`${verbs[index]} ${answer.code} ${answer.out.slice(0, 6)}`).toBe(`${verbs[index]} 0 Usage:`);
    });
  }, 60_000);

  test("an unknown verb ends with 2 and names the nearest", async () => {
    const { code, out, err } = await gantry("imges");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("'images'");
  });

  test("an unknown flag ends with 2 and says where help is", async () => {
    const { code, err } = await gantry("stats", "--nonsense");
    expect(code).toBe(2);
    expect(err).toContain("--nonsense");
    expect(err).toContain("gantry stats --help");
  });

  test("nested verbs have help, and a wrong one is refused", async () => {
    expect((await gantry("volume")).out).toContain("inspect");
    expect((await gantry("volume", "ls", "--help")).out).toContain("--filter");
    expect(await gantry("volume", "melt")).toMatchObject({ code: 2, out: "" });
  });

  test("prune asks first, and takes no answer for no", async () => {
    const none = await gantry("prune");
    expect(none.code).toBe(1);
    expect(none.err).toContain("--force");
    const no = await run([program, "prune", "--all"], { input: "n\n" });
    expect(no).toMatchObject({ code: 1, out: "" });
    expect(no.err).toContain("all images without a container");
    expect((await gantry("prune", "--force", "planets")).code).toBe(2);
  });
});

describe("completion", () => {
  async function complete(...words: string[]): Promise<string[]> {
    const { out } = await gantry("__complete", "--", ...words);
    return out.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t", 1)[0]!]));
  }

  test("verbs, nested verbs, groups, flags and their words are offered", async () => {
    expect(await complete("sta")).toEqual(["start", "stats"]);
    expect(await complete("volume", "")).toEqual(
      "create ls inspect rm prune clone snapshot export import rename".split(" "),
    );
    expect(await complete("image", "hi")).toEqual(["history"]);
    expect(await complete("run", "--read")).toEqual(["--read-only"]);
    expect(await complete("run", "--pull", "")).toEqual(["always", "missing", "never"]);
    expect(await complete("volume", "ls", "--fo")).toEqual(["--format"]);
    expect(await complete("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  test("what follows the program of run and exec is left to the shell", async () => {
    expect(await complete("run", "alpine", "--read")).toEqual([]);
    expect(await complete("exec", "-it", "box", "-")).toEqual([]);
  });

  test("without an engine names are left out in silence, and none is started", async () => {
    expect(await gantry("__complete", "--", "logs", "")).toEqual({ code: expect.any(Number), out: "", err: "" });
    expect(await gantry("__complete", "--", "nonsense", "")).toMatchObject({ out: "", err: "" });
  });

  test("bash completes with the script, also behind a colon", async () => {
    const script = `. <("${program}" completion bash)
try() { COMP_LINE=$1; COMP_POINT=\${#1}; _gantry; echo "\${COMPREPLY[*]}"; }
try "${program} sta"
try "${program} volume ins"
try "${program} bootstrap debian:b"
try "${program} volume "`;
    const { code, out, err } = await run(["bash", "-c", script]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(
      "start stats\ninspect\nbookworm\ncreate ls inspect rm prune clone snapshot export import rename\n",
    );
  });

  test("an unknown shell is refused with the known ones", async () => {
    const { code, err } = await gantry("completion", "tcsh");
    expect(code).toBe(2);
    expect(err).toContain("bash, zsh, fish");
  });
});

describe("init", () => {
  test("writes what builds and says the two next commands; nothing is written over unasked", async () => {
    const project = join(folder, "My Project");
    mkdirSync(project);
    writeFileSync(join(project, "count.py"), "import csv\n");
    const { code, out, err } = await gantry("init", project);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Wrote: ");
    expect(out).toContain("gantry build -t my-project 'My Project'");
    expect(out).toContain("gantry run --rm my-project");
    expect(readFileSync(join(project, "Dockerfile"), "utf8")).toContain("FROM ");
    expect(existsSync(join(project, ".dockerignore"))).toBe(true);

    writeFileSync(join(project, "Dockerfile"), "mine\n");
    const again = await gantry("init", project);
    expect(again.code).toBe(1);
    expect(again.err).toContain("--force");
    expect(readFileSync(join(project, "Dockerfile"), "utf8")).toBe("mine\n");

    const forced = JSON.parse((await gantry("init", "--force", "--json", project)).out) as Record<string, unknown>;
    expect(forced).toMatchObject({
      language: "python",
      imageName: "my-project",
      files: ["Dockerfile", ".dockerignore"],
    });
    expect(readFileSync(join(project, "Dockerfile"), "utf8")).toContain("FROM ");
  });

  test("a folder it knows nothing of, or that is not there, is said", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    expect((await gantry("init", empty)).code).toBe(1);
    expect((await gantry("init", join(folder, "not-there"))).err).toContain("no such folder");
  });
});

describe("doctor", () => {
  test("says one line a thing, and the same as JSON", async () => {
    const { code, out, err } = await gantry("doctor", "--json");
    const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: { subject: string; state: string }[] };
    expect({ code, err }).toEqual({ code: ok ? 0 : 1, err: "" });
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(["crun", "overlay", "cgroups", "data root", "free space", "engine"]),
    );
    expect((await gantry("doctor")).out.trimEnd().split("\n")).toHaveLength(findings.length);
  });

  test("--report writes one file without secrets and prints its path", async () => {
    mkdirSync(join(folder, "data"), { recursive: true });
    writeFileSync(join(folder, "data/engine.log"), "it said this\nAuthorization: Bearer hunter2hunter2\n");
    const { code, out } = await gantry("doctor", "--report");
    expect(code).toBe(0);
    const text = readFileSync(out.trim(), "utf8");
    for (const part of ["== Checks", "== Versions", "== Mounts", "it said this", "kernel"])
      expect(text).toContain(part);
    expect(text).not.toContain("hunter2hunter2");
  });
});

test("bootstrap refuses what it cannot make before it does anything", async () => {
  expect((await gantry("bootstrap", "debian")).err).toContain("debian:bookworm");
  expect((await gantry("bootstrap", "debian:bookworm", "--variant", "huge")).err).toContain("minbase");
  expect((await gantry("bootstrap", "debian:bookworm", "--date", "soon")).code).toBe(1);
});
