import * as z from "zod";

export const DAY_MS = 86_400_000;

/** The schema of a duration in milliseconds. */
export function durationSchema(defaultMs: number, description: string, leastMs = 1): z.ZodDefault<z.ZodInt> {
  return z.int().min(leastMs).max(DAY_MS).default(defaultMs).describe(`${description} Milliseconds.`);
}

/** The schema of a whole number from 1 to `most`. */
export function countSchema(defaultCount: number, most: number, description: string): z.ZodDefault<z.ZodInt> {
  return z.int().min(1).max(most).default(defaultCount).describe(description);
}
