import { expect, test } from "bun:test";
import { checkUser, type UserFacts } from "./user.ts";

const files: Readonly<Record<string, string>> = {
  "/etc/subuid": "ann:100000:65536\n",
  "/etc/subgid": "ann:100000:65536\n",
};

function findings(changes: Partial<UserFacts> & { readonly files?: Readonly<Record<string, string>> } = {}) {
  const read = (path: string) => (changes.files ?? files)[path];
  const facts = { uid: 1001, name: "ann", read, opens: () => true, overlay: () => undefined, ...changes };
  return Object.fromEntries(checkUser(facts).map((finding) => [finding.subject, finding]));
}

test("a user with ids, a tunnel and overlay has nothing to mend, and is told of limits", () => {
  expect(Object.values(findings()).map(({ state }) => state)).toEqual(["ok", "ok", "ok", "ok", "warning"]);
});

test("each thing a user lacks is named with what mends it", () => {
  const bad = findings({ files: { "/etc/subuid": "ann:5:100\n" }, opens: () => false, overlay: () => "no permission" });
  expect(bad.subuid).toMatchObject({ state: "warning", found: "ann has 100 ids; many images use 65536" });
  expect(bad.subgid).toMatchObject({ state: "missing", found: "/etc/subgid gives ann no ids" });
  expect(bad.subgid?.remedy).toStartWith("usermod --add-subgids");
  expect(bad.tun?.remedy).toContain("chmod 0666 /dev/net/tun");
  expect(bad["user overlay"]?.found).toContain("no permission");
});
