import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { chooseSources, oneLine } from "./choose.ts";
import { parseDeb822, parseOneLine, readSources } from "./sources.ts";

test("one-line sources give their address, suite, components and options", () => {
  const text = `# a note
deb http://one.example/debian/ bookworm main contrib  # and a remark
  deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://two.example/debian bookworm-updates main
deb-src http://one.example/debian bookworm main
#deb http://off.example/debian bookworm main
deb http://flat.example/packages ./
deb cdrom:[Disc]/ bookworm main
`;
  expect(parseOneLine(text)).toEqual([
    { uri: "http://one.example/debian", suite: "bookworm", components: ["main", "contrib"], options: {} },
    {
      uri: "https://two.example/debian",
      suite: "bookworm-updates",
      components: ["main"],
      options: { arch: "amd64", "signed-by": "/usr/share/keyrings/a.gpg" },
    },
  ]);
});

test("deb822 sources give one source an address and suite", () => {
  const text = `Types: deb deb-src
# a note between fields
URIs: http://one.example/debian
 http://two.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main
`;
  const found = parseDeb822(text);
  expect(found.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
    "http://one.example/debian bookworm",
    "http://one.example/debian bookworm-updates",
    "http://two.example/debian bookworm",
    "http://two.example/debian bookworm-updates",
  ]);
  expect(found[0]).toMatchObject({ components: ["main"], options: { "signed-by": "/usr/share/keyrings/a.gpg" } });
});

test("a key inside Signed-By comes out as a key file's text", () => {
  const text = `Types: deb
URIs: http://one.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
`;
  const [source] = parseDeb822(text);
  expect(source?.key).toBe("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----\n");
  expect(source?.options).toEqual({});
  expect(oneLine(source!, "/keys/0.asc")).toBe("deb [signed-by=/keys/0.asc] http://one.example/debian bookworm main");
});

test("a folder is read as apt reads it: files with other endings do not count", () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-sources-"));
  try {
    expect(readSources(folder)).toEqual([]);
    mkdirSync(join(folder, "sources.list.d"));
    writeFileSync(join(folder, "sources.list"), "deb http://a.example/debian one main\n");
    writeFileSync(join(folder, "sources.list.d/z.list"), "deb http://a.example/debian three main\n");
    writeFileSync(join(folder, "sources.list.d/b.sources"), "Types: deb\nURIs: http://a.example/debian\nSuites: two\n");
    writeFileSync(join(folder, "sources.list.d/c.list.disabled"), "deb http://a.example/debian no main\n");
    expect(readSources(folder).map(({ suite }) => suite)).toEqual(["one", "two", "three"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("no text makes the readers throw, and a written line reads back", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseOneLine(text);
      parseDeb822(text);
    }),
  );
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
  fc.assert(
    fc.property(
      word,
      word,
      fc.array(word, { minLength: 1 }),
      fc.dictionary(word, word),
      (host, suite, components, raw) => {
        const options = Object.fromEntries(Object.entries(raw).filter(([name]) => !/[+-]$/.test(name)));
        const source = { uri: `http://${host}/debian`, suite, components, options };
        expect(parseOneLine(oneLine(source, undefined))).toEqual([source]);
      },
    ),
  );
});

const own = parseOneLine(`deb http://m.example/debian bookworm main
deb http://m.example/debian bookworm-updates main
deb http://m.example/debian-security bookworm-security main
deb http://other.example/tool stable main
`);

function chosen(distribution: string, suite: string, mirror?: string): string[] {
  const request = { distribution, suite, ...(mirror === undefined ? {} : { mirror }) };
  return chooseSources(request, own).map(
    ({ uri, suite: name, optional }) => `${uri} ${name}${optional ? " if there" : ""}`,
  );
}

test("the machine's own suite is taken with its updates and fixes", () => {
  expect(chosen("debian", "bookworm")).toEqual([
    "http://m.example/debian bookworm",
    "http://m.example/debian bookworm-updates if there",
    "http://m.example/debian-security bookworm-security if there",
  ]);
});

test("another suite comes from the same archives, a rolling one without updates", () => {
  expect(chosen("debian", "trixie")).toEqual([
    "http://m.example/debian trixie",
    "http://m.example/debian trixie-updates if there",
    "http://m.example/debian-security trixie-security if there",
  ]);
  expect(chosen("debian", "sid")).toEqual(["http://m.example/debian sid"]);
});

test("a named package source stands for all, and without any the error says how to name one", () => {
  expect(chosen("debian", "trixie", "https://x.example/debian")).toEqual([
    "https://x.example/debian trixie",
    "https://x.example/debian trixie-updates if there",
  ]);
  expect(() => chosen("ubuntu", "noble")).toThrow("--mirror");
});
