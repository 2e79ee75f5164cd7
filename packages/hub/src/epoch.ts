import type { Clock, Epoch, Random } from "@holdfast/core";

/** A name for this run: nine characters of time that sort as time does, and a random tail against equal clocks. */
export function createEpoch(clock: Clock, random: Random): Epoch {
  const time = Math.floor(clock.now()).toString(36).padStart(9, "0");
  const tail = Math.floor(random() * 36 ** 5)
    .toString(36)
    .padStart(5, "0");
  return `${time}-${tail}`;
}
