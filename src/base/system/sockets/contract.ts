/**
 * Connections that keep packet boundaries (SOCK_SEQPACKET over AF_UNIX), which the runtime's own sockets cannot speak.
 * One Worker serves all of them with epoll; it sleeps in the kernel until a socket or a request wakes it.
 */
export interface PacketConnector extends AsyncDisposable {
  /** Connects to a socket file; paths of any length. Errors: "not-found", "unavailable" when nobody listens. */
  connect(path: string): Promise<PacketConnection>;
  /**
   * Resolves when a process that is no child of this one has ended (pidfd_open(2)); at once when there is none. The
   * caller made sure that the number is the process it means.
   */
  processEnd(pid: number): Promise<void>;
  /**
   * Calls back once the folder is watched and then whenever a file was renamed into it, whatever its name. Writes to
   * files in it wake nobody. `work` names what the Worker does first, at once, however busy this thread is. After the
   * disposal it does nothing more.
   */
  watchArrivals(folder: string, onArrival: () => void, work?: string): AsyncDisposable;
  /** Calls back with the names of nftables tables that somebody deleted, "" for any of them. Only one may listen. */
  watchTables(onDeleted: (names: readonly string[]) => void): void;
}

/** Short synchronous work of the connector's Worker on a folder; what it throws is thrown where the watch was made. */
export interface ArrivalWork {
  readonly name: string;
  readonly run: (folder: string) => void;
}

export interface PacketConnection {
  /**
   * Each item is one packet; ends when the other side is done or the connection is closed. Taking an item is the
   * credit for the next: at most `packetWindow` bytes wait here, then reading stops and the other side feels it.
   */
  readonly packets: AsyncIterable<Uint8Array>;
  /** Bytes that wait to be taken. */
  readonly waiting: number;
  /** Resolves when the kernel took all bytes. Rejects "unavailable" when the other side is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half close: no more is written; packets still come. */
  endInput(): void;
  /** Drops the connection and what waits. Idempotent. */
  close(): void;
}

/** Bytes of unread packets before reading stops. */
export const packetWindow = 1024 * 1024;
