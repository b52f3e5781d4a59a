import { connect } from "node:net";
import { GantryError } from "#base/core/errors.ts";
import type { Verb } from "../contract.ts";

/** What `DOCKER_HOST=ssh://…` runs at the other end: this terminal's bytes are the API's. */
export const verb: Verb = {
  declare(command, run) {
    command.action(() =>
      run(async (context) => {
        // The engine is started when it has to be; the connection itself carries bytes nobody here reads.
        await context.client();
        const path = /^unix:\/\/(\/.+)$/.exec(context.host)?.[1];
        if (path === undefined) {
          throw new GantryError("unsupported", {
            doing: "join the engine's socket",
            on: context.host,
            because: "only a unix socket can be joined",
          });
        }
        await joinSocket(path);
        return undefined;
      }),
    );
  },
};

/** Each direction ends by itself, as the sides of a connection do. */
async function joinSocket(path: string): Promise<void> {
  const socket = connect({ path, allowHalfOpen: true });
  process.stdin.pipe(socket);
  socket.pipe(process.stdout, { end: false });
  await new Promise<void>((resolve, reject) => {
    socket.once("end", resolve);
    socket.once("close", resolve);
    socket.once("error", reject);
  });
}
