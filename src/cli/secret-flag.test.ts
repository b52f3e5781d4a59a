import { expect, test } from "bun:test";
import { parseSecretFlag } from "./secret-flag.ts";

test("a secret is a file's or a variable's, with a place, a mode and an owner", () => {
  expect(parseSecretFlag("id=a,env=TOKEN,target=/t,mode=0440,uid=7,gid=8", { TOKEN: "x" })).toEqual({
    ID: "a",
    Data: Buffer.from("x").toString("base64"),
    Target: "/t",
    Mode: 0o440,
    UID: 7,
    GID: 8,
  });
  expect(parseSecretFlag(`src=${import.meta.path}`, {}).ID).toBe("secret-flag.test.ts");
});

test("what is missing or not known is named, and no value is in the words", () => {
  expect(() => parseSecretFlag("id=a,src=/no/such", {})).toThrow("the file /no/such cannot be read");
  expect(() => parseSecretFlag("id=a", {})).toThrow("no variable a");
  expect(() => parseSecretFlag("colour=red", {})).toThrow("colour=red is not known");
  expect(() => parseSecretFlag("id=a,env=T,mode=x", { T: "hidden" })).toThrow("mode is no number");
});
