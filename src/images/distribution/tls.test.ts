import { expect, test } from "bun:test";
import { join } from "node:path";
import { scratch } from "#images/store/testing/test-store.ts";
import { isLessSafe } from "./exchange.ts";

test("https is never left for http, http may be left for https", () => {
  expect(isLessSafe("https://a/", new URL("http://a/"))).toBe(true);
  expect(isLessSafe("https://a/", new URL("https://b/"))).toBe(false);
  expect(isLessSafe("http://a/", new URL("https://a/"))).toBe(false);
  expect(isLessSafe("http://a/", new URL("file:///etc/passwd"))).toBe(true);
});

test("a registry with TLS is read; a redirect to http and an unknown certificate are refused in words", async () => {
  using folder = scratch();
  const [key, certificate] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const made = Bun.spawnSync(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
    ].concat([
      "-subj",
      "/CN=test",
      "-addext",
      "subjectAltName=DNS:gantry.test,IP:127.0.0.1",
      "-keyout",
      key,
      "-out",
      certificate,
    ]),
    { stdout: "ignore", stderr: "ignore" },
  );
  expect(made.exitCode).toBe(0);
  const run = async (environment: Record<string, string>) => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "testing/tls-scenario.ts"), key, certificate], {
      env: { PATH: process.env.PATH ?? "", ...environment },
      stdout: "pipe",
      stderr: "inherit",
    });
    return JSON.parse(await new Response(child.stdout).text()) as Record<string, string>;
  };
  expect(await run({ NODE_EXTRA_CA_CERTS: certificate })).toEqual({ plain: "200", redirect: "denied", asked: "0" });
  const unknown = await run({});
  expect(unknown.plain).toContain("its certificate is not accepted");
});
