import { GantryError } from "#base/core/errors.ts";

/** The error `work` ends with; a success, or anything but a GantryError, fails the test. */
export async function failure(work: Promise<unknown>): Promise<GantryError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GantryError) return error;
    throw error;
  }
  throw new Error("it succeeded");
}
