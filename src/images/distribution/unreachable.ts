import { GantryError } from "#base/core/errors.ts";

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host is not known",
  EAI_AGAIN: "the host's name could not be looked up",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  ECONNRESET: "the connection broke",
};
/** Not worth another try: the answer is final until someone changes something. */
const final = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"]);

/** Why no answer came from a registry, as words. `details.final`: another try would end the same way. */
export function unreachable(
  asked: { readonly doing: string; readonly on: string },
  url: string,
  cause: unknown,
  silent: boolean,
): GantryError {
  const { code = "", message = "" } = cause as { code?: string; message?: string };
  const tls = /CERT|SELF_SIGNED|TLS|SSL/.test(code);
  const why = silent
    ? "it has been silent for too long"
    : (words[code] ?? (tls ? `its certificate is not accepted (${code})` : message || code));
  return new GantryError("unavailable", {
    ...asked,
    because: `${new URL(url).origin} cannot be reached: ${why}`,
    next: tls
      ? "Add its authority to this machine's certificates."
      : "Check the name, the network, and that the registry runs.",
    cause,
    details: { final: silent || tls || final.has(code) },
  });
}
