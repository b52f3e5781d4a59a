import { expect, test } from "bun:test";
import { join } from "node:path";
import { serve } from "./testing/servers.ts";

const script = join(import.meta.dir, "testing/ping.ts");

async function ping(domain: string, environment: Record<string, string>): Promise<string> {
  const child = Bun.spawn([process.execPath, script, domain], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.trim();
}

test("the environment's proxy is used for other hosts, never for loopback, and NO_PROXY is heard", async () => {
  await using direct = serve(() => Response.json({}));
  // A proxy that refuses to make tunnels: that it was asked is enough.
  const asked: string[] = [];
  const proxy = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        asked.push(Buffer.from(bytes).toString().split("\r\n", 1)[0]!);
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      },
    },
  });
  try {
    const url = `http://127.0.0.1:${proxy.port}`;
    const environment = { HTTP_PROXY: url, HTTPS_PROXY: url };
    expect(await ping(direct.domain, environment)).toBe("fine");
    expect(await ping(direct.domain, { http_proxy: url })).toBe("fine");
    expect(asked).toEqual([]);
    expect(await ping("registry.invalid", environment)).not.toBe("fine");
    expect(new Set(asked)).toEqual(new Set(["CONNECT registry.invalid:443 HTTP/1.1"]));
    asked.length = 0;
    expect(await ping("registry.invalid", { ...environment, NO_PROXY: ".invalid" })).toContain("not known");
    expect(asked).toEqual([]);
  } finally {
    proxy.stop(true);
  }
});
