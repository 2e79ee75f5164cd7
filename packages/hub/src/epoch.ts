import type { Epoch, Random } from "@holdfast/core";

/** The largest number with nine digits in base 36. */
const MAX_GENERATION = 36 ** 9 - 1;

/**
 * Identifies one run: nine characters that sort like the generation, and a random tail that distinguishes runs of the same generation.
 * Without a store the generation is the wall clock in milliseconds, and a store that was lost starts again at the wall clock. 0 sorts
 * before every other generation. Throws a `RangeError` for a generation that is not an integer from 0 to 36^9 - 1, which is a time in the
 * year 5188.
 */
export function createEpoch(generation: number, random: Random): Epoch {
  if (!Number.isInteger(generation) || generation < 0 || generation > MAX_GENERATION)
    throw new RangeError(`a generation must be an integer from 0 to ${MAX_GENERATION}`);
  const tail = Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, "0");
  return `${generation.toString(36).padStart(9, "0")}-${tail}`;
}
