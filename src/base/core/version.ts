/** The program's version; `scripts/build-binary.ts` fills in the commit. */
export const version = "0.1.0";

declare const GANTRY_COMMIT: string | undefined;
export const commit: string = typeof GANTRY_COMMIT === "string" ? GANTRY_COMMIT : "source";
