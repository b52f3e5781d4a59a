import { expect, test } from "bun:test";
import { Duplex } from "node:stream";
import type { Attachment, OutputPiece } from "#containers/lifecycle/contract.ts";
import { frame, joinStreams } from "./multiplex.ts";

class FakeAttachment implements Attachment {
  readonly taken: string[] = [];
  disposed = false;
  readonly output: AsyncIterable<OutputPiece>;

  constructor(output: (self: FakeAttachment) => AsyncIterable<OutputPiece>) {
    this.output = output(this);
  }

  readonly inputEnded = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<void> {
    this.taken.push(Buffer.from(bytes).toString());
  }

  endInput(): void {
    this.inputEnded.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}

function client(): { socket: Duplex; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      setImmediate(done);
    },
  });
  return { socket, sent };
}

const piece = (stream: OutputPiece["stream"], text: string): OutputPiece => ({ stream, bytes: Buffer.from(text) });

test("a frame is the stream, three zeros, the size and the bytes", () => {
  expect([...frame("stderr", Buffer.from("ab"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
  expect([...frame("stdout", new Uint8Array(0))]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
});

test("a client that half-closes still gets all the output, and the process sees the end of its input", async () => {
  const { socket, sent } = client();
  const attachment = new FakeAttachment(async function* (self) {
    await self.inputEnded.promise;
    yield piece("stdout", "late");
  });
  socket.push("typed");
  socket.push(null);
  await joinStreams(socket, attachment, { terminal: true, stdin: true });
  expect(attachment.taken.join("")).toBe("typed");
  expect(Buffer.concat(sent).toString()).toBe("late");
  expect(attachment.disposed).toBe(true);
});

test("a client that leaves ends the join at once and lets the attachment go", async () => {
  const { socket } = client();
  const forever = Promise.withResolvers<never>();
  const attachment = new FakeAttachment(async function* () {
    yield piece("stdout", "x");
    await forever.promise;
  });
  const joined = joinStreams(socket, attachment, { terminal: false, stdin: false });
  socket.destroy();
  await joined;
  expect(attachment.disposed).toBe(true);
});

test("a client that had left before the join began holds nothing", async () => {
  const { socket } = client();
  socket.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
  const forever = Promise.withResolvers<never>();
  const attachment = new FakeAttachment(async function* () {
    await forever.promise;
    yield piece("stdout", "never");
  });
  await joinStreams(socket, attachment, { terminal: false, stdin: true });
  expect(attachment.disposed).toBe(true);
});

test("output that breaks is told to the caller and the attachment is let go", async () => {
  const { socket } = client();
  const attachment = new FakeAttachment(async function* () {
    yield piece("stderr", "x");
    throw new Error("the line broke");
  });
  await expect(joinStreams(socket, attachment, { terminal: false, stdin: true })).rejects.toThrow("the line broke");
  expect(attachment.disposed).toBe(true);
});
