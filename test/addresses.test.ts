import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { run, startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;
const path = process.env.PATH ?? "";

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

const docker = (host: string, words: readonly string[], env: Record<string, string> = {}) =>
  run(["docker", "-H", host, ...words], { PATH: path, HOME: engine.folder, ...env });

async function freePort(): Promise<number> {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  return server.port;
}

/** A small authority with a server's and a client's certificate, and a stranger's own. */
async function certificates(folder: string): Promise<void> {
  const script = `set -e; mkdir -p ${folder}/client ${folder}/stranger; cd ${folder}
    make() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$2" -out "$3" $4; }
    make authority ca-key.pem ca.pem
    make stranger stranger/key.pem stranger/cert.pem
    cp ca.pem client/ca.pem; cp ca.pem stranger/ca.pem
    sign() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2" -out request.pem
      printf '%s' "$4" >extensions; openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile extensions -out "$3"; }
    sign engine server-key.pem server.pem 'subjectAltName=IP:127.0.0.1,DNS:engine.example.org'
    sign user client/key.pem client/cert.pem 'extendedKeyUsage=clientAuth'`;
  expect(await run(["sh", "-c", script], { PATH: path })).toMatchObject({ code: 0 });
}

test("over TCP with TLS docker and gantry work with a certificate, and nobody without one", async () => {
  const folder = join(engine.folder, "certificates");
  await certificates(folder);
  const host = `tcp://127.0.0.1:${await freePort()}`;
  const files = [
    "--tlscacert",
    `${folder}/ca.pem`,
    "--tlscert",
    `${folder}/server.pem`,
    "--tlskey",
    `${folder}/server-key.pem`,
  ];
  await engine.ok("engine", "listen", host, ...files);
  const tls = (who: string) => ({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: join(folder, who) });
  const words = ["run", "--rm", "-i", "busybox", "echo", "over tls"];
  expect(await docker(host, words, tls("client"))).toMatchObject({ code: 0, out: "over tls\n" });
  const own = await run([join(import.meta.dir, "../bin/gantry"), "-H", host, ...words], {
    ...engine.env,
    ...tls("client"),
  });
  expect(own).toMatchObject({ code: 0, out: "over tls\n" });
  expect((await docker(host, ["ps"], tls("stranger"))).code).not.toBe(0);
  expect((await docker(host, ["ps"])).code).not.toBe(0);
  await engine.ok("engine", "unlisten", host);
  expect((await docker(host, ["ps"], tls("client"))).code).not.toBe(0);
});

test("a read-only socket shows all and changes nothing; another engine serves it again", async () => {
  const socket = join(engine.folder, "look.sock");
  await engine.ok("engine", "listen", `unix://${socket}`, "--read-only", "--mode", "0666");
  expect(statSync(socket).mode & 0o777).toBe(0o666);
  const id = await engine.ok("run", "-d", "--name", "seen", "busybox", "sleep", "1000");
  const host = `unix://${socket}`;
  expect((await docker(host, ["ps", "--no-trunc", "-q"])).out.trim()).toBe(id);
  expect(await docker(host, ["logs", "seen"])).toMatchObject({ code: 0 });
  for (const words of [
    ["kill", "seen"],
    ["rm", "-f", "seen"],
    ["run", "busybox"],
    ["exec", "seen", "true"],
  ]) {
    const refused = await docker(host, words);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("for looking only");
  }
  expect((await docker(host, ["cp", "seen:/etc/passwd", "-"])).err).toContain("for looking only");
  await engine.ok("engine", "stop");
  await engine.ok("engine", "start");
  expect((await docker(host, ["ps", "--no-trunc", "-q"])).out.trim()).toBe(id);
  await engine.ok("rm", "-f", "seen");
  await engine.ok("engine", "unlisten", host);
});

test("an allow-list permits what it names and nothing else", async () => {
  const host = `unix://${join(engine.folder, "restart.sock")}`;
  await engine.ok("engine", "listen", host, "--allow", "POST /containers/web/restart");
  await engine.ok("run", "-d", "--name", "web", "--stop-timeout", "0", "busybox", "sleep", "1000");
  await engine.ok("run", "-d", "--name", "other", "--stop-timeout", "0", "busybox", "sleep", "1000");
  expect(await docker(host, ["restart", "web"])).toMatchObject({ code: 0 });
  expect((await docker(host, ["restart", "other"])).err).toContain("does not allow it");
  expect((await docker(host, ["ps"])).err).toContain("does not allow it");
  await engine.ok("rm", "-f", "web", "other");
});

test("beyond loopback nothing is served without TLS, and no web page is served anywhere", async () => {
  const open = await engine.gantry("engine", "listen", "tcp://0.0.0.0:2375");
  expect(open).toMatchObject({ code: 1 });
  expect(open.err).toContain("with TLS only");
  const port = await freePort();
  await engine.ok("engine", "listen", `tcp://127.0.0.1:${port}`);
  const ask = (headers: Record<string, string>, method = "GET") =>
    fetch(`http://127.0.0.1:${port}/containers/json`, { method, headers, ...(method === "POST" ? { body: "x" } : {}) });
  expect((await ask({})).status).toBe(200);
  expect((await ask({ Origin: "http://evil.example" })).status).toBe(403);
  expect((await ask({ Host: `evil.example:${port}` })).status).toBe(403);
  expect((await ask({ "Content-Type": "text/plain" }, "POST")).status).toBe(403);
  const taken = await engine.gantry("engine", "listen", `tcp://127.0.0.1:${port}`);
  expect(taken.err).toContain("served there already");
});

test("docker system dial-stdio carries the API, as ssh:// wants it", async () => {
  const request = "GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const answer = await engine.feed(request, "system", "dial-stdio");
  expect(answer.code).toBe(0);
  expect(answer.out).toStartWith("HTTP/1.1 200 OK");
  expect(answer.out).toContain("\r\nOK\r\n");
});
