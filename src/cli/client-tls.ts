import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { ClientTls } from "#client/contract.ts";

/** Docker's own variables: with DOCKER_TLS_VERIFY set, the three files of DOCKER_CERT_PATH. Error "not-found". */
export function clientTls(env: Readonly<Record<string, string | undefined>>): ClientTls | undefined {
  if (!env.DOCKER_TLS_VERIFY) return undefined;
  const folder = env.DOCKER_CERT_PATH || join(env.HOME ?? "/root", ".docker");
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch (cause) {
      throw new GantryError("not-found", {
        doing: "read the certificate file",
        on: join(folder, name),
        because: "it cannot be read",
        next: "Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.",
        cause,
      });
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}
