import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { GrpcServer, grpcClient, listMetadata } from "./h2c.ts";
import { Upload } from "./protos/upload.gen.ts";

/** Two ends of one connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as { port: number }).port;
  const near = connect(port, "127.0.0.1");
  const far = await accepted;
  server.close();
  return [near, far];
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield { data: Buffer.from(text) };
}

test("calls go over a connection that was opened by the other side, many at once, and end in good order", async () => {
  const [near, far] = await pair();
  const server = new GrpcServer((router) => {
    router.service(Upload, {
      async *pull(incoming) {
        for await (const { data } of incoming) yield { data };
      },
    });
  });
  const over = server.serve(far);
  const client = createClient(Upload, grpcClient(near));
  const echo = async (name: string) => {
    let text = "";
    for await (const { data } of client.pull(pieces(name, "x".repeat(200_000)))) text += Buffer.from(data).toString();
    return text.length;
  };
  expect(await Promise.all(["a", "bb", "ccc", "dddd"].map(echo))).toEqual([200_001, 200_002, 200_003, 200_004]);
  near.destroy();
  await over;
});

test("metadata of several values arrives as several lines, whatever is in them", async () => {
  const [near, far] = await pair();
  let raw: string[] = [];
  const { createServer: http2 } = await import("node:http2");
  const server = http2((request, response) => {
    raw = (request as unknown as { rawHeaders: string[] }).rawHeaders;
    response.writeHead(200, { "content-type": "application/grpc" });
    response.addTrailers({ "grpc-status": "0" });
    response.end();
  });
  server.emit("connection", far);
  const headers = listMetadata("followpaths", ["a,b", "c d", "ü"]);
  for await (const _ of createClient(Upload, grpcClient(near)).pull(pieces(), { headers })) throw new Error("bytes");
  const values = raw.flatMap((text, at) => (raw[at - 1] === "followpaths" && at % 2 === 1 ? [text] : []));
  expect(values).toEqual(["a%2Cb", "c%20d", "%C3%BC"]);
  expect(raw[raw.indexOf("followpaths-encoded") + 1]).toBe("1");
  near.destroy();
});

test("a call on a connection that is gone fails instead of waiting", async () => {
  const [near, far] = await pair();
  far.destroy();
  near.destroy();
  const call = createClient(Upload, grpcClient(near)).pull(pieces("x"))[Symbol.asyncIterator]().next();
  await expect(call).rejects.toThrow("the client left");
});
