import type { Random } from "@holdfast/core";

/**
 * Returns a generator of numbers in [0, 1) that gives the same sequence for the same seed, in every process. Not for
 * secrets.
 */
export function createSeededRandom(seed: number): Random {
  // mulberry32: a 32-bit counter in steps of an odd constant, mixed.
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
