import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cdiParts } from "./cdi.ts";

const folder = mkdtempSync(join(tmpdir(), "cdi-"));
writeFileSync(
  join(folder, "a.yaml"),
  `cdiVersion: 0.6.0
kind: example.com/card
containerEdits:
  env: [ALL=1]
devices:
  - name: one
    containerEdits:
      env: [ONE=1]
      deviceNodes: [{path: /dev/card, hostPath: /dev/null, permissions: rw}]
      mounts: [{hostPath: /etc/hostname, containerPath: /card, options: [ro, nosuid]}]
      additionalGIDs: [44]
  - name: hooked
    containerEdits:
      hooks: [{hookName: createContainer, path: /bin/true}]
`,
);

test("a device brings its nodes, mounts, variables and groups, and what all of its kind bring", () => {
  expect(cdiParts(["example.com/card=one"], ["/no/such", folder])).toEqual({
    env: ["ALL=1", "ONE=1"],
    groups: ["44"],
    devices: [{ source: "/dev/null", target: "/dev/card", access: "rw" }],
    mounts: [{ type: "bind", source: "/etc/hostname", target: "/card", readonly: true }],
  });
});

test("a device that is not described and one with hooks are refused by name", () => {
  expect(() => cdiParts(["example.com/card=two"], [folder])).toThrow("unresolvable CDI devices example.com/card=two");
  expect(() => cdiParts(["example.com/card=hooked"], [folder])).toThrow("programs run on the host");
  rmSync(folder, { recursive: true });
});
