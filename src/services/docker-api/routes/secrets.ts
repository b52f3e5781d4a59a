import { GantryError } from "#base/core/errors.ts";
import type { Secret } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { SecretBody } from "#formats/docker/gantry.ts";
import type { Route } from "../contract.ts";
import { checkTarget } from "../create/mount-place.ts";

/** Secrets of a container, between its create and its start. They are told to nobody again. */
export function secretRoutes(engine: Engine): Route[] {
  return [
    {
      method: "POST",
      path: "/gantry/v1/containers/:id/secrets",
      handle: async (call) => {
        const { Secrets = [] } = await call.json<{ Secrets: readonly SecretBody[] }>();
        await engine.containers.giveSecrets(call.params.id!, Secrets.map(secretOf));
        return { status: 204 };
      },
    },
  ];
}

function secretOf({ ID = "", Data = "", Target, Mode, UID, GID }: SecretBody): Secret {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(ID)) {
    const because = "its id is letters, digits, _ . and -, and begins with a letter or digit";
    throw new GantryError("invalid", { doing: "take the secret", on: ID, because });
  }
  return {
    target: checkTarget(Target || `/run/secrets/${ID}`, ID),
    bytes: Buffer.from(Data, "base64"),
    mode: (Mode ?? 0o400) & 0o777,
    uid: UID ?? 0,
    gid: GID ?? 0,
  };
}
