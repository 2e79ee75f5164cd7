import type { Clock } from "@holdfast/core";

/** Settles as the work does, or resolves with `undefined` when the work takes longer than `waitMs`. The work goes on. */
export async function untilLate<T>(work: Promise<T>, waitMs: number, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  using _ = clock.schedule(waitMs, () => late.resolve(undefined));
  return await Promise.race([work, late.promise]);
}
