import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { compile } from "./template.ts";

const item = {
  Name: "web",
  State: { ExitCode: 0, Running: true },
  Names: ["a", "b"],
  Labels: { "org.x": "1" },
  Empty: [],
  Nothing: null,
};
const show = (source: string) => compile(source)(item);

test("fields, nested fields and text between them", () => {
  expect(show("{{.Name}}: {{ .State.ExitCode }}")).toBe("web: 0");
  expect(show("{{.Missing.Deeper}}|{{.Nothing}}")).toBe("<no value>|<no value>");
  expect(show("{{.Names}} {{.Labels}}")).toBe("[a b] map[org.x:1]");
});

test("functions, pipes and comparisons", () => {
  expect(show("{{json .Labels}} {{json .Missing}}")).toBe('{"org.x":"1"} null');
  expect(show('{{join .Names ","}} {{.Name | upper}} {{len .Names}}')).toBe("a,b WEB 2");
  expect(show('{{index .Labels "org.x"}}{{index .Names 1}}')).toBe("1b");
  expect(show('{{if eq .Name "db" "web"}}yes{{else}}no{{end}}')).toBe("yes");
  expect(show("{{if .Empty}}some{{else}}none{{end}}")).toBe("none");
  expect(show("{{range .Names}}<{{.}}>{{end}}")).toBe("<a><b>");
});

test("\\t and \\n stand for themselves in text and inside of quotes", () => {
  expect(show("{{.Name}}\\t{{.State.ExitCode}}\\n")).toBe("web\t0\n");
  expect(show('{{join .Names "\\n"}}')).toBe("a\nb");
});

test("dashes take the blanks beside an action away", () => {
  expect(show("a  {{- .Name -}}  b")).toBe("awebb");
  expect(show("a {{.Name}} b")).toBe("a web b");
});

test("what does not parse is refused when it is read", () => {
  for (const source of ["{{.Name", "{{}}", "{{if .Name}}x", "{{end}}", "{{nosuch .Name}}", '{{join .Names "\\q"}}']) {
    expect(() => show(source)).toThrow(GantryError);
  }
});

test("JavaScript's own properties and functions cannot be reached", () => {
  expect(show("{{.constructor}} {{.Name.length}} {{.Names.map}}")).toBe("<no value> <no value> <no value>");
  for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
    expect(() => show(`{{${name} .Name}}`)).toThrow(`there is no function ${name}`);
  }
});

test("no template makes it throw anything but a refusal", () => {
  const word = fc.constantFrom(
    "{{",
    "}}",
    "-",
    ".",
    ".Name",
    ".Names",
    "if",
    "range",
    "else",
    "end",
    "eq",
    "index",
    "len",
    "join",
    "json",
    '"a"',
    "'b'",
    '"',
    "|",
    " ",
    "3",
    "true",
    "truncate",
    "\\n",
    "title",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
      ),
      (source) => {
        try {
          expect(typeof show(source)).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(GantryError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
