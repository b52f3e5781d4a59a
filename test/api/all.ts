import { containerCases } from "./cases/containers.ts";
import { errorCases } from "./cases/errors.ts";
import { otherCases } from "./cases/others.ts";
import type { Case } from "./contract.ts";

export const cases: readonly Case[] = [...errorCases, ...containerCases, ...otherCases];
