import { expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { bindPort } from "./bound-port.ts";
import { openPacketConnector } from "./packet-connector.ts";

const entry = new URL("../../../workers/attach.ts", import.meta.url);

/** A seqpacket server: answers each packet with its length, sends one last word at the client's half close. */
const server = `use Socket; my $path = shift; socket(S, AF_UNIX, 5, 0); bind(S, pack_sockaddr_un($path)); listen(S, 5);
$| = 1; print "up\\n"; accept(C, S); while (defined recv(C, $x, 65536, 0)) { last if $x eq ""; send(C, length $x, 0) } send(C, "bye", 0);`;

test("packets keep their borders both ways, a half close is seen, and the last word still comes", async () => {
  const folder = mkdtempSync(join(tmpdir(), `gantry-packets-${"x".repeat(120)}-`));
  await using connector = openPacketConnector({ entry });
  const child = Bun.spawn(["perl", "-e", server, "s"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  await child.stdout.getReader().read();
  // Longer than a socket address may be.
  const line = await connector.connect(join(folder, "s"));
  await Promise.all([line.write(Buffer.alloc(10)), line.write(Buffer.alloc(8192 + 5))]);
  line.endInput();
  const said: string[] = [];
  for await (const packet of line.packets) said.push(Buffer.from(packet).toString());
  expect(said).toEqual(["10", "8192", "5", "bye"]);
  expect(isKind(await line.write(Buffer.from("late")).catch((error: unknown) => error), "unavailable")).toBe(true);
  child.kill();
  rmSync(folder, { recursive: true });
});

test("nobody there: the error says so, and the connector is well", async () => {
  await using connector = openPacketConnector({ entry });
  const error = await connector.connect(join(tmpdir(), "gantry-no-such-socket")).catch((reason: unknown) => reason);
  expect(isKind(error, "not-found")).toBe(true);
});

test("a bound port is taken for everyone else until it is let go", async () => {
  const held = bindPort("tcp", "127.0.0.1", 0);
  expect(held.port).toBeGreaterThan(0);
  expect(() => bindPort("tcp", "127.0.0.1", held.port)).toThrow("another program or container has it");
  const other = createServer();
  const refused = await new Promise<Error>((resolve) => other.once("error", resolve).listen(held.port, "127.0.0.1"));
  expect(String(refused)).toContain("EADDRINUSE");
  held[Symbol.dispose]();
  using _again = bindPort("tcp", "127.0.0.1", held.port);
});

test("a watched folder tells of files renamed into it and of nothing else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-arrivals-"));
  await using connector = openPacketConnector({ entry });
  let calls = 0;
  let heard = Promise.withResolvers<void>();
  const next = async () => {
    await heard.promise;
    heard = Promise.withResolvers<void>();
  };
  await using _watch = connector.watchArrivals(folder, () => {
    calls += 1;
    heard.resolve();
  });
  await next();
  writeFileSync(join(folder, "a"), "made");
  appendFileSync(join(folder, "a"), "written");
  renameSync(join(folder, "a"), join(folder, "b"));
  await next();
  const second = connector.watchArrivals(folder, () => undefined);
  await second[Symbol.asyncDispose]();
  renameSync(join(folder, "b"), join(folder, "c"));
  await next();
  expect(calls).toBe(3);
  rmSync(folder, { recursive: true });
});
