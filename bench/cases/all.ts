import type { Case } from "../contract.ts";
import { manyStarts, oneLife } from "./api.ts";
import { build } from "./build.ts";
import { execTrue, listing, runTrue } from "./command-line.ts";
import { engineStart } from "./engine-start.ts";
import { layers } from "./layers.ts";
import { idleContainers, idleEngine } from "./memory.ts";
import { execByApi, logReading, manyPorts, startsAtOnce, statsOnce } from "./scale.ts";
import { transfer } from "./transfer.ts";
import { unpack } from "./unpack.ts";

/** The order is the run's: what leaves the engine small comes first, what deletes big trees last. */
export const cases: readonly Case[] = [
  runTrue,
  oneLife,
  manyStarts,
  listing,
  execTrue,
  idleEngine,
  idleContainers,
  execByApi,
  statsOnce,
  logReading,
  manyPorts,
  startsAtOnce,
  layers,
  build,
  engineStart,
  transfer,
  unpack,
];
