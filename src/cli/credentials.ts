import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import { parseReference } from "#formats/oci/reference.ts";
import type { Context } from "./contract.ts";

interface DockerConfig {
  auths?: Record<string, { auth?: string; identitytoken?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
}

const hub = "https://index.docker.io/v1/";

function configFile(context: Context): string {
  return join(context.env.DOCKER_CONFIG || join(context.env.HOME || "/root", ".docker"), "config.json");
}

function readConfig(context: Context): DockerConfig {
  const file = configFile(context);
  if (!existsSync(file)) return {};
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as DockerConfig | null) ?? {};
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read the credentials", on: file, because: "it is not JSON", cause });
  }
}

function writeConfig(context: Context, config: DockerConfig): void {
  const file = configFile(context);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(config, undefined, "\t")}\n`, { mode: 0o600 });
  renameSync(next, file);
}

/** The key docker keeps a registry's credentials under. */
export function registryKey(server: string): string {
  const bare = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return bare === "" || bare === "docker.io" || bare === "index.docker.io" ? hub : bare;
}

function fromHelper(helper: string, key: string): AuthConfig | undefined {
  const program = `docker-credential-${helper}`;
  if (Bun.which(program) === null) {
    throw new GantryError("unauthenticated", {
      doing: "ask the credential helper",
      on: program,
      because: "there is no such program",
      next: "Install it, or take credsStore and credHelpers out of docker's config.json.",
    });
  }
  const child = Bun.spawnSync([program, "get"], { stdin: Buffer.from(key), stdout: "pipe", stderr: "pipe" });
  const text = child.stdout.toString();
  if (!child.success) {
    if (text.includes("credentials not found")) return undefined;
    throw new GantryError("unauthenticated", {
      doing: "ask the credential helper",
      on: program,
      because: text.trim() || "it failed",
    });
  }
  const { Username, Secret } = JSON.parse(text) as { Username: string; Secret: string };
  return Username === "<token>"
    ? { identitytoken: Secret, serveraddress: key }
    : { username: Username, password: Secret, serveraddress: key };
}

export function credentialsFor(context: Context, server: string): AuthConfig | undefined {
  const config = readConfig(context);
  const key = registryKey(server);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined && helper !== "") {
    const kept = fromHelper(helper, key);
    if (kept !== undefined) return kept;
  }
  const entry = config.auths?.[key];
  if (!entry?.auth)
    return entry?.identitytoken ? { identitytoken: entry.identitytoken, serveraddress: key } : undefined;
  const text = Buffer.from(entry.auth, "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at === -1) {
    throw new GantryError("invalid", {
      doing: "read the credentials of",
      on: key,
      because: `in ${configFile(context)} they are not NAME:PASSWORD in base64`,
      next: `Log in again with: gantry login ${server}`,
    });
  }
  return {
    username: text.slice(0, at),
    password: text.slice(at + 1),
    serveraddress: key,
    ...(entry.identitytoken === undefined ? {} : { identitytoken: entry.identitytoken }),
  };
}

export function keepCredentials(
  context: Context,
  server: string,
  auth: { username: string; password: string },
): string {
  const config = readConfig(context);
  const key = registryKey(server);
  const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
  writeConfig(context, { ...config, auths: { ...config.auths, [key]: { auth: encoded } } });
  return configFile(context);
}

/** False when there were none. */
export function forgetCredentials(context: Context, server: string): boolean {
  const config = readConfig(context);
  const key = registryKey(server);
  if (config.auths?.[key] === undefined) return false;
  const { [key]: _gone, ...rest } = config.auths;
  writeConfig(context, { ...config, auths: rest });
  return true;
}

/** X-Registry-Auth for the registry of an image; empty when there are no credentials. */
export function authHeader(context: Context, image: string): Record<string, string> {
  const auth = credentialsFor(context, parseReference(image).domain);
  return auth === undefined ? {} : { "X-Registry-Auth": Buffer.from(JSON.stringify(auth)).toString("base64url") };
}
