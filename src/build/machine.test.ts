import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aptSourcesFor, hostsFor, resolvConfFor } from "./machine.ts";

function machine(files: Readonly<Record<string, string>>): Disposable & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "gantry-machine-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

const bookworm = 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\n';
const sources =
  "Types: deb\nURIs: http://packages.example/debian\nSuites: bookworm\nSigned-By: /usr/share/keyrings/k.gpg\n";
const debian = {
  "etc/os-release": bookworm,
  "etc/apt/sources.list": "# nothing\n",
  "etc/apt/sources.list.d/debian.sources": sources,
  "etc/apt/sources.list.d/readme.txt": sources,
  "usr/share/keyrings/k.gpg": "key",
};
const image = (files: Readonly<Record<string, string>>) => (path: string) => files[path];
const lists = ["/etc/apt/sources.list"];

test("an image of the same release without sources of its own is shown the machine's, and a key it lacks", () => {
  using host = machine(debian);
  const shown = aptSourcesFor(host.root, image({ "/etc/os-release": bookworm, "/etc/apt/sources.list": "\n" }), lists);
  expect(shown.map(({ target }) => target)).toEqual([
    "/etc/apt/sources.list.d/debian.sources",
    "/usr/share/keyrings/k.gpg",
  ]);
});

test("an image with sources of its own, of another release, or of none is shown nothing", () => {
  using host = machine(debian);
  const own = {
    "/etc/os-release": bookworm,
    "/etc/apt/sources.list": "deb http://deb.sample.org/debian bookworm main\n",
  };
  expect(aptSourcesFor(host.root, image(own), lists)).toEqual([]);
  expect(aptSourcesFor(host.root, image({ "/etc/os-release": "VERSION_CODENAME=trixie\n" }), lists)).toEqual([]);
  expect(aptSourcesFor(host.root, image({}), lists)).toEqual([]);
});

test("name servers only the machine itself can reach are left out, unless the step is in its network", () => {
  using host = machine({
    "etc/resolv.conf": "# by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch lab\n",
  });
  expect(resolvConfFor(host.root, false)).toBe("nameserver 192.0.2.1\nsearch lab\n");
  expect(resolvConfFor(host.root, true)).toContain("127.0.0.53");
  using stub = machine({
    "etc/resolv.conf": "nameserver 127.0.0.53\n",
    "run/systemd/resolve/resolv.conf": "nameserver 198.51.100.7\n",
  });
  expect(resolvConfFor(stub.root, false)).toBe("nameserver 198.51.100.7\n");
});

test("added hosts are lines of /etc/hosts, also with an IPv6 address", () => {
  expect(hostsFor(["db:192.0.2.1", "six=[2001:db8::1]"], "builder").split("\n").slice(2, 5)).toEqual([
    "127.0.1.1\tbuilder",
    "192.0.2.1\tdb",
    "2001:db8::1\tsix",
  ]);
});
