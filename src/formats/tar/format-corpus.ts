import { createGzipWriter } from "./gzip.ts";
import { createTarWriter, tarEntry } from "./writer.ts";

/** Bytes that compress neither well nor badly, the same everywhere. */
function sample(length: number, seed: number): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    out[i] = (state >>> 24) & (i % 1000 < 700 ? 0x0f : 0xff);
  }
  return out;
}

/** What format 1 is held to: everything the dialect can say. Checked in the gate, and by an engine after an update. */
export function corpus(): Record<string, { tar: Uint8Array; gzip: Uint8Array }> {
  const name = (text: string) => Buffer.from(text, "latin1");
  const make = (fill: (writer: ReturnType<typeof createTarWriter>) => void) => {
    const tar: Uint8Array[] = [];
    const packed: Uint8Array[] = [];
    const gzip = createGzipWriter((chunk) => packed.push(chunk.slice()));
    const writer = createTarWriter((chunk) => {
      tar.push(chunk.slice());
      gzip.push(chunk);
    });
    fill(writer);
    writer.finish();
    gzip.finish();
    return { tar: Buffer.concat(tar), gzip: Buffer.concat(packed) };
  };
  const file = (writer: ReturnType<typeof createTarWriter>, path: string, content: Uint8Array, more = {}) => {
    writer.entry(tarEntry({ name: name(path), type: "file", mode: 0o644, size: content.length, ...more }));
    writer.data(content);
  };
  return {
    empty: make(() => undefined),
    kinds: make((writer) => {
      writer.entry(
        tarEntry({
          name: name("d/"),
          type: "directory",
          mode: 0o1777,
          modified: { seconds: 315_619_200, nanoseconds: 0 },
        }),
      );
      file(writer, "d/file", Buffer.from("content\n"), { uid: 1000, gid: 100 });
      writer.entry(tarEntry({ name: name("d/hard"), type: "hardlink", mode: 0o644, linkName: name("d/file") }));
      writer.entry(tarEntry({ name: name("d/link"), type: "symlink", mode: 0o777, linkName: name("/etc/x") }));
      writer.entry(tarEntry({ name: name("null"), type: "character", mode: 0o666, major: 1, minor: 3 }));
      writer.entry(tarEntry({ name: name("loop"), type: "block", mode: 0o660, major: 7, minor: 255 }));
      writer.entry(tarEntry({ name: name("pipe"), type: "fifo", mode: 0o600 }));
      file(writer, ".wh.gone", new Uint8Array(0));
    }),
    pax: make((writer) => {
      file(writer, `${"p".repeat(150)}/${"n".repeat(100)}`, Buffer.from("ustar prefix"));
      file(writer, "n".repeat(101), Buffer.from("pax path"));
      file(writer, "\xff\xfe", Buffer.from("bytes"));
      file(writer, "big-ids", Buffer.from("x"), { uid: 3_000_000, gid: 4_294_967_294 });
      file(writer, "times", Buffer.from("x"), { modified: { seconds: -2, nanoseconds: 500_000_000 } });
      file(writer, "xattrs", Buffer.from("x"), {
        xattrs: new Map([
          ["user.z", Uint8Array.of(0, 10, 255)],
          ["security.capability", sample(20, 3)],
        ]),
      });
      writer.entry(tarEntry({ name: name("l"), type: "symlink", mode: 0o777, linkName: name("t".repeat(101)) }));
    }),
    blocks: make((writer) => {
      file(writer, "one-block", sample(1024 * 1024 - 512, 1));
      file(writer, "several", sample(3 * 1024 * 1024 + 17, 2));
      file(writer, "zeros", new Uint8Array(2 * 1024 * 1024));
    }),
  };
}
