import { Duplex } from "node:stream";
import { Outbox } from "./outbox.ts";
import type { BytesMessage } from "./protos/control.gen.ts";

/** A connection inside a call: what comes as messages is read, what is written goes out as messages. */
export function tunnel(incoming: AsyncIterable<BytesMessage>): { socket: Duplex; outgoing: Outbox<{ data: Buffer }> } {
  const outgoing = new Outbox<{ data: Buffer }>();
  const messages = incoming[Symbol.asyncIterator]();
  const socket = new Duplex({
    read() {
      messages.next().then(
        ({ value, done }) => {
          if (done === true) socket.destroy();
          else socket.push(value.data);
        },
        // The caller left: that is all an error here can mean.
        () => socket.destroy(),
      );
    },
    write(data: Buffer, _encoding, done) {
      outgoing.send({ data });
      done();
    },
    destroy(_error, done) {
      outgoing.end();
      done(null);
    },
  });
  return { socket, outgoing };
}
