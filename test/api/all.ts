import { containerFilterCases } from "./cases/container-filters.ts";
import { containerInsideCases } from "./cases/container-insides.ts";
import { containerCases } from "./cases/containers.ts";
import { errorCases } from "./cases/errors.ts";
import { execCases } from "./cases/exec.ts";
import { imageCases } from "./cases/images.ts";
import { logCases } from "./cases/logs.ts";
import { networkCases } from "./cases/networks.ts";
import { systemCases } from "./cases/system.ts";
import { volumeCases } from "./cases/volumes.ts";
import type { Case } from "./contract.ts";

export const cases: readonly Case[] = [
  ...errorCases,
  ...containerCases,
  ...containerFilterCases,
  ...containerInsideCases,
  ...execCases,
  ...logCases,
  ...imageCases,
  ...volumeCases,
  ...networkCases,
  ...systemCases,
];
