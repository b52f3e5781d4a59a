import { type CallOptions, createClient } from "@connectrpc/connect";
import type { TarEntry } from "#formats/tar/contract.ts";
import type { Session } from "./contract.ts";
import { typeOf } from "./file-modes.ts";
import { listMetadata } from "./h2c.ts";
import { Outbox } from "./outbox.ts";
import { FileSync, type Packet, type Stat } from "./protos/session.gen.ts";
import { broken, entryOf, packetKinds, shown } from "./sync-entry.ts";
import { SyncedPaths } from "./synced-paths.ts";

export interface SyncOptions {
  /** Which of the folders the client offers. */
  readonly folder: string;
  /** What the client leaves out, in the words of an ignore file. */
  readonly exclude?: readonly string[];
  /** Only these, with what their links lead to. */
  readonly only?: readonly string[];
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** Takes an entry with its bytes; the next comes when it is done. */
export type EntrySink = (entry: TarEntry, content?: Uint8Array | AsyncIterable<Uint8Array>) => Promise<void>;

/** Files up to this size are asked for side by side and kept whole; a bigger one comes alone and passes through. */
const smallBytes = 4 * 1024 * 1024;
const windowBytes = 8 * 1024 * 1024;
const windowFiles = 128;

/** Receives a folder of the client's: it tells what there is, each file's bytes are asked for, and FIN ends it. */
export async function syncFolder(session: Session, options: SyncOptions, sink: EntrySink): Promise<void> {
  const requests = new Outbox<Partial<Packet>>();
  const headers = [
    ["dir-name", options.folder],
    ...listMetadata("exclude-patterns", options.exclude ?? []),
    ...listMetadata("followpaths", options.only ?? []),
  ] as [string, string][];
  const signal = AbortSignal.any([options.signal, session.gone]);
  const call: CallOptions = { headers, signal };
  const packets = createClient(FileSync, session.transport).diffCopy(requests as AsyncIterable<Packet>, call);
  try {
    await new Reception(packets[Symbol.asyncIterator](), requests, options, sink).run();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    requests.end();
  }
}

interface Incoming {
  readonly id: number;
  readonly entry: TarEntry;
  readonly chunks: Uint8Array[];
  bytes: number;
  ended: boolean;
}

class Reception {
  readonly #packets: AsyncIterator<Packet>;
  readonly #requests: Outbox<Partial<Packet>>;
  readonly #options: SyncOptions;
  readonly #sink: EntrySink;
  readonly #paths = new SyncedPaths();
  readonly #waiting: Incoming[] = [];
  readonly #asked = new Map<number, Incoming>();
  readonly #ready: TarEntry[] = [];
  readonly #links: TarEntry[] = [];
  #askedBytes = 0;
  #count = 0;
  #told = false;
  #over = false;

  constructor(
    packets: AsyncIterator<Packet>,
    requests: Outbox<Partial<Packet>>,
    options: SyncOptions,
    sink: EntrySink,
  ) {
    this.#packets = packets;
    this.#requests = requests;
    this.#options = options;
    this.#sink = sink;
  }

  async run(): Promise<void> {
    while (!(this.#told && this.#waiting.length === 0 && this.#asked.size === 0)) {
      await this.#take();
      await this.#write();
      await this.#ask();
    }
    // Last, for the files they lead to must be there.
    for (const link of this.#links) await this.#sink(link);
    this.#requests.send({ type: packetKinds.end });
    this.#requests.end();
    while (!this.#over) await this.#take();
  }

  async #write(): Promise<void> {
    for (let entry = this.#ready.shift(); entry !== undefined; entry = this.#ready.shift()) await this.#sink(entry);
    for (const file of [...this.#asked.values()].filter((candidate) => candidate.ended)) {
      this.#asked.delete(file.id);
      this.#askedBytes -= file.entry.size;
      const bytes = Buffer.concat(file.chunks);
      // It may have changed since it was announced: what came is what it is.
      await this.#sink({ ...file.entry, size: bytes.length }, bytes);
    }
  }

  async #ask(): Promise<void> {
    for (let file = this.#waiting[0]; file !== undefined; file = this.#waiting[0]) {
      const isSmall = file.entry.size <= smallBytes;
      const fits = this.#asked.size < windowFiles && this.#askedBytes + file.entry.size <= windowBytes;
      if (isSmall ? !fits : this.#asked.size > 0) return;
      this.#waiting.shift();
      this.#asked.set(file.id, file);
      this.#askedBytes += file.entry.size;
      this.#requests.send({ type: packetKinds.request, id: file.id });
      if (isSmall) continue;
      await this.#sink(file.entry, this.#passing(file));
      this.#asked.delete(file.id);
      this.#askedBytes -= file.entry.size;
    }
  }

  /** The announced number of bytes, whatever happens to the file meanwhile. */
  async *#passing(file: Incoming): AsyncGenerator<Uint8Array> {
    let left = file.entry.size;
    while (!file.ended || file.chunks.length > 0) {
      const chunk = file.chunks.shift()?.subarray(0, left);
      if (chunk === undefined) await this.#take();
      else if (chunk.length > 0) {
        left -= chunk.length;
        yield chunk;
      }
    }
    if (left > 0) throw broken("conflict", shown(file.entry), "the file became shorter while it was sent");
  }

  async #take(): Promise<void> {
    const { value: packet, done } = await this.#packets.next();
    if (done === true) throw broken("corrupt", this.#options.folder, "the client stopped in the middle");
    if (packet.type === packetKinds.stat) this.#announced(packet.stat);
    else if (packet.type === packetKinds.data) this.#data(packet);
    else if (packet.type === packetKinds.end) this.#over = true;
    else if (packet.type === packetKinds.error) {
      throw broken("invalid", this.#options.folder, `the client says: ${Buffer.from(packet.data).toString()}`);
    } else throw broken("corrupt", this.#options.folder, `the client sent a packet of kind ${packet.type}`);
  }

  #announced(stat: Stat | undefined): void {
    if (stat === undefined) {
      this.#told = true;
      return;
    }
    const id = this.#count;
    this.#count += 1;
    const type = typeOf(stat.mode);
    // Nobody sends a socket's content; Docker's clients leave them out as well.
    if (type === "socket") return;
    const isLink = type === "file" && stat.linkname !== "";
    this.#paths.add(stat.path, type === "directory" ? "folder" : type === "file" ? "file" : "other");
    if (isLink) this.#paths.requireFile(stat.path, stat.linkname);
    const entry = entryOf(stat, isLink ? "hardlink" : type);
    if (entry.type === "hardlink") this.#links.push(entry);
    else if (entry.type === "file") this.#waiting.push({ id, entry, chunks: [], bytes: 0, ended: false });
    else this.#ready.push(entry);
  }

  #data({ id, data }: Packet): void {
    const file = this.#asked.get(id);
    if (file === undefined || file.ended)
      throw broken("corrupt", this.#options.folder, "bytes came that nobody asked for");
    if (data.length === 0) file.ended = true;
    file.bytes += data.length;
    if (file.bytes > file.entry.size + windowBytes) {
      throw broken("corrupt", shown(file.entry), "it has far more bytes than was announced");
    }
    file.chunks.push(data);
    this.#options.onBytes?.(data.length);
  }
}
