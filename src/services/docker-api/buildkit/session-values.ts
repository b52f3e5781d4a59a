import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Credentials } from "#images/distribution/contract.ts";
import type { Session } from "./contract.ts";
import { Secrets } from "./protos/secrets.gen.ts";
import { Auth } from "./protos/session.gen.ts";

/** Docker Hub's credentials are kept under its registry's host. */
const hub = "registry-1.docker.io";

/** What the client has for a registry: a password, or a token when there is no user. */
export async function credentialsOf(
  session: Session,
  domain: string,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  if (!session.serves("/moby.filesync.v1.Auth/Credentials")) return undefined;
  const host = domain === "docker.io" ? hub : domain;
  const asked = createClient(Auth, session.transport).credentials({ host }, { signal });
  const { username, secret } = (await unless(asked, Code.Unimplemented)) ?? { username: "", secret: "" };
  if (secret === "") return undefined;
  return username === "" ? { identityToken: secret } : { username, password: secret };
}

/** The value of a secret. */
export async function secretOf(session: Session, id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (!session.serves("/moby.buildkit.secrets.v1.Secrets/GetSecret")) return undefined;
  return (await unless(createClient(Secrets, session.transport).getSecret({ id }, { signal }), Code.NotFound))?.data;
}

/** The answer; undefined when the client has none and says so by this code. */
async function unless<T>(answer: Promise<T>, none: Code): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConnectError && error.code === none) return undefined;
    throw error;
  }
}
