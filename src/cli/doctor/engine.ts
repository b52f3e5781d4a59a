import { describe, isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import { createClient } from "#client/http-client.ts";
import type { InfoAnswer } from "#formats/docker/system.ts";
import { type Finding, missing, ok, warning } from "./finding.ts";

export interface EngineView {
  readonly findings: readonly Finding[];
  /** Of the engine that answers. */
  readonly info: InfoAnswer | undefined;
}

const patience = 3000;

/** Asks the engine at `host`, when one runs; starts none. */
export async function checkEngine(host: string): Promise<EngineView> {
  const client = createClient(host);
  let info: InfoAnswer;
  try {
    info = await client.request<InfoAnswer>("GET", "/info", { signal: AbortSignal.timeout(patience) });
  } catch (error) {
    return { findings: [silent(host, error)], info: undefined };
  }
  const findings: Finding[] = [ok("engine", `${info.ServerVersion} answers at ${host}`)];
  try {
    const drops = await client.request<readonly { readonly found: string; readonly remedy: string }[]>(
      "GET",
      "/gantry/v1/foreign-drops",
      { signal: AbortSignal.timeout(patience) },
    );
    if (drops.length === 0) findings.push(ok("firewall", "nobody else drops the containers' packets"));
    for (const { found, remedy } of drops) findings.push(warning("firewall", found, remedy));
  } catch (error) {
    // Another program's engine has no such page; that is no fault of the machine.
    if (!isKind(error, "not-found")) findings.push(warning("firewall", `the engine cannot tell: ${describe(error)}`));
  }
  findings.push(...(await checkLoop(client)));
  return { findings, info };
}

/** Beyond that a user feels it. */
const lateMs = 50;

async function checkLoop(client: Client): Promise<Finding[]> {
  try {
    const { maximum } = await client.request<{ readonly maximum: number }>("GET", "/gantry/v1/loop-lag?seconds=0.3", {
      signal: AbortSignal.timeout(patience),
    });
    const found = `answers come at most ${maximum} ms late`;
    return [maximum <= lateMs ? ok("event loop", found) : warning("event loop", found, "Give the machine less to do.")];
  } catch (error) {
    if (isKind(error, "not-found")) return [];
    return [warning("event loop", `the engine cannot tell: ${describe(error)}`)];
  }
}

function silent(host: string, error: unknown): Finding {
  if (!isKind(error, "unavailable")) {
    return missing(
      "engine",
      `it runs at ${host} but gives no answer: ${describe(error)}`,
      "gantry engine stop && gantry engine start",
    );
  }
  return ok("engine", "none runs; the first command that needs it starts it");
}
