import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { GantryError } from "#base/core/errors.ts";

/**
 * For addresses a browser can reach: refuses what a web page could have been tricked into sending. A page's request
 * carries its Origin, or comes as a form, or by a name that a hostile name server made lead here (DNS rebinding).
 */
export function webGuard(names: readonly string[]): (request: IncomingMessage) => void {
  return ({ headers, method, url }) => {
    const refuse = (because: string) => {
      throw new GantryError("denied", { doing: "serve the request", on: `${method} ${url}`, because });
    };
    if (headers.origin !== undefined) refuse("it was sent by a web page (Origin)");
    const host = hostName(headers.host ?? "");
    if (isIP(host) === 0 && host !== "localhost" && !names.includes(host)) {
      refuse(`its Host is "${headers.host ?? ""}", which is no address of this engine`);
    }
    const type = (headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
    const form = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"].includes(type);
    // No page can ask for an upgrade; docker's client does, and calls the body of such a request plain text.
    if (method !== "GET" && form && headers.upgrade === undefined)
      refuse(`its body is of the type ${type}, as a form of a web page sends it`);
  };
}

function hostName(host: string): string {
  const six = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return six === null ? host.replace(/:\d+$/, "").toLowerCase() : six[1]!;
}
