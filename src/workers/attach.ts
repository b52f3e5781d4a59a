import type { Hello } from "#base/system/sockets/messages.ts";
import { servePackets } from "#base/system/sockets/serve.ts";
import { logNaming } from "#containers/lifecycle/log-naming.ts";

declare const self: { onmessage: ((event: MessageEvent<Hello>) => void) | null };

self.onmessage = (event) => {
  self.onmessage = null;
  servePackets(event.data, [logNaming]);
};
