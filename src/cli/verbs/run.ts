import { existsSync } from "node:fs";
import { describe, GantryError, isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import { EngineRefusal } from "#client/failure.ts";
import type { ContainerCreateAnswer, ContainerCreateBody } from "#formats/docker/container.ts";
import { engineFailed } from "../complain.ts";
import { type ContainerFlags, createBody, declareContainerFlags } from "../container-flags.ts";
import type { Context, Verb } from "../contract.ts";
import { parseSecretFlag } from "../secret-flag.ts";
import { attachSession } from "../session.ts";
import { pullImage } from "../transfer.ts";

interface Options extends ContainerFlags {
  readonly detach?: boolean;
  readonly detachKeys?: string;
  readonly sigProxy: boolean;
  readonly cidfile?: string;
}

export const verb: Verb = {
  declare(command, run) {
    declareContainerFlags(command);
    command
      .option("-d, --detach", "print its id and leave it running")
      .option("--detach-keys <keys>", "keys that leave it running")
      .option("--no-sig-proxy", "do not forward signals")
      .option("--cidfile <file>", "write its id into a file");
    command.action((image: string, words: string[], options: Options) =>
      run(async (context) => {
        try {
          return await runContainer(context, image, words, options);
        } catch (error) {
          return startFailure(context, error);
        }
      }),
    );
  },
};

/** Docker's codes: 127 no such program, 126 not to be run, 125 everything else that kept it from starting. */
function startFailure(context: Context, error: unknown): number {
  if (isKind(error, "cancelled")) throw error;
  const message = describe(error);
  context.stderr.write(`gantry: ${message}\n`);
  // What failed on this side (a file of variables, a flag) is never the container's program.
  if (!(error instanceof EngineRefusal)) return engineFailed;
  if (/executable file .*not found|no such file or directory|No such file/i.test(message)) {
    return isKind(error, "not-found") && message.startsWith("Cannot find the image") ? engineFailed : 127;
  }
  return /permission denied/i.test(message) ? 126 : engineFailed;
}

async function runContainer(
  context: Context,
  image: string,
  words: string[],
  options: Options,
): Promise<number | undefined> {
  const detached = options.detach === true;
  if (options.cidfile !== undefined && existsSync(options.cidfile)) {
    throw new GantryError("conflict", {
      doing: "write the id into",
      on: options.cidfile,
      because: "container ID file found: it is there already, maybe of a container that runs",
      next: "Remove the file, or name another.",
    });
  }
  const body = createBody(options, image, words, context.env, detached);
  const client = await context.client();
  const { Id, Warnings } = await createContainer(context, client, body, options);
  for (const warning of Warnings) context.stderr.write(`WARNING: ${warning}\n`);
  if (options.cidfile !== undefined) await Bun.write(options.cidfile, Id);
  if (detached) {
    await client.request("POST", `/containers/${Id}/start`);
    context.stdout.write(`${Id}\n`);
    return undefined;
  }
  return attachSession(context, client, {
    id: Id,
    terminal: body.Tty === true,
    stdin: body.AttachStdin === true,
    stdout: body.AttachStdout === true,
    stderr: body.AttachStderr === true,
    forwardSignals: options.sigProxy,
    detachKeys: options.detachKeys,
    start: true,
    removed: options.rm === true,
  });
}

/** Creates; gets the image first when it is missing, as `--pull` says. */
export async function createContainer(
  context: Context,
  client: Client,
  body: ContainerCreateBody,
  options: Pick<ContainerFlags, "name" | "pull" | "quiet" | "platform" | "secret">,
): Promise<ContainerCreateAnswer> {
  // Read before anything is made: a file that is not there leaves no container.
  const secrets = options.secret.map((text) => parseSecretFlag(text, context.env));
  const answer = await createAndPull(context, client, body, options);
  if (secrets.length === 0) return answer;
  try {
    await client.request("POST", `/gantry/v1/containers/${answer.Id}/secrets`, { json: { Secrets: secrets } });
  } catch (error) {
    await client.request("DELETE", `/containers/${answer.Id}`, { query: { v: 1 } });
    throw error;
  }
  return answer;
}

async function createAndPull(
  context: Context,
  client: Client,
  body: ContainerCreateBody,
  options: Pick<ContainerFlags, "name" | "pull" | "quiet" | "platform">,
): Promise<ContainerCreateAnswer> {
  const query = { name: options.name, platform: options.platform };
  const pull = () =>
    pullImage(context, client, body.Image!, {
      platform: options.platform,
      quiet: options.quiet === true,
      to: context.stderr,
    });
  if (options.pull === "always") await pull();
  try {
    return await client.request<ContainerCreateAnswer>("POST", "/containers/create", { query, json: body });
  } catch (error) {
    const missing =
      isKind(error, "not-found") && /No such image|does not provide the specified platform/.test(error.message);
    if (!missing || options.pull !== "missing") throw error;
    context.stderr.write(`Unable to find image '${body.Image}' locally\n`);
    await pull();
    return await client.request<ContainerCreateAnswer>("POST", "/containers/create", { query, json: body });
  }
}
