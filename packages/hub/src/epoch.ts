import type { Epoch, Random } from "@holdfast/core";

/** Nine digits to base 36. */
const LARGEST = 36 ** 9 - 1;

/**
 * A name for one run: nine characters that sort as the generation does, and a random tail that tells apart runs of one generation (without
 * a store that is the wall clock in milliseconds; a lost store begins with the wall clock). 0 sorts before every run that was given one.
 * Throws a `RangeError` for a generation that is not an integer from 0 to 36^9 - 1, which as a time is in the year 5188.
 */
export function createEpoch(generation: number, random: Random): Epoch {
  if (!Number.isInteger(generation) || generation < 0 || generation > LARGEST)
    throw new RangeError(`a generation is an integer from 0 to ${LARGEST}`);
  const tail = Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, "0");
  return `${generation.toString(36).padStart(9, "0")}-${tail}`;
}
