import { expect, test } from "bun:test";
import { parseMountTable, readMountTable } from "./table.ts";

test("a line of mountinfo gives its mount, with octal escapes undone", () => {
  const [entry] = parseMountTable(
    "36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n",
  );
  expect(entry).toEqual({
    id: 36,
    parent: 35,
    root: "/mnt1",
    mountPoint: "/mnt two",
    options: ["rw", "noatime"],
    propagation: ["master:1", "shared:2"],
    type: "ext3",
    source: "/dev/root",
    superOptions: ["rw", "errors=continue"],
  });
});

test("lines that are no mounts are left out", () => {
  expect(parseMountTable("\n1 2 3\nnonsense\n36 35 98:0 / /x rw\n")).toEqual([]);
});

test("this machine's own table has a proc", () => {
  expect(readMountTable().some((entry) => entry.type === "proc" && entry.mountPoint === "/proc")).toBe(true);
});
