import { basename } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Downloads } from "#build/contract.ts";
import { throughMachine } from "#images/distribution/address.ts";

/** A URL without what may be secret in it. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** ADD's downloads: http and https only, redirects followed by the rules of the platform. */
export function downloads(machineLoopback?: string): Downloads {
  return {
    async get(text, signal) {
      const url = new URL(text);
      let response: Response;
      try {
        const there = throughMachine(url.href, machineLoopback);
        response = await fetch(there.url, { signal, redirect: "follow", headers: there.headers });
      } catch (cause) {
        signal.throwIfAborted();
        throw new GantryError("unavailable", {
          doing: "download",
          on: shown(url),
          because: "nothing answers there",
          cause,
        });
      }
      if (response.status !== 200 || response.body === null) {
        throw new GantryError(response.status === 404 ? "not-found" : "unavailable", {
          doing: "download",
          on: shown(url),
          because: `the server answers ${response.status}`,
        });
      }
      const disposition = /filename="?([^";/]+)"?/.exec(response.headers.get("content-disposition") ?? "")?.[1];
      const fileName = disposition ?? basename(new URL(response.url || text).pathname);
      return { body: response.body, fileName };
    },
  };
}
