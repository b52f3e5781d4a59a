/**
 * `tls-scenario.ts KEY CERTIFICATE`: a server with TLS, one page of which redirects to a server without. Prints what a
 * client makes of it. A program of its own because authorities are read when Bun starts.
 */
import { describe, isKind } from "#base/core/errors.ts";
import { Authorisation } from "../authorisation.ts";
import { exchange } from "../exchange.ts";
import { HastyClock, serve } from "./servers.ts";

const [key, certificate] = process.argv.slice(2);
await using plain = serve(() => new Response("secret"));
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  tls: { key: Bun.file(key!), cert: Bun.file(certificate!) },
  fetch: (request) =>
    request.url.endsWith("/redirect") ? Response.redirect(`http://${plain.domain}/`) : new Response("here"),
});
const origin = `https://127.0.0.1:${server.port}`;
const clock = new HastyClock();
const authorisation = new Authorisation({ origin, credentials: undefined, scopes: [], clock });
const ask = (path: string) =>
  exchange({ method: "GET", url: origin + path, accept: [200], doing: "ask", on: origin }, authorisation, clock).then(
    async (answer) => {
      await answer.drop();
      return `${answer.status}`;
    },
    (error: unknown) => (isKind(error, "denied") ? "denied" : describe(error)),
  );
const said = { plain: await ask("/"), redirect: await ask("/redirect"), asked: `${plain.seen.length}` };
process.stdout.write(JSON.stringify(said));
process.exit(0);
