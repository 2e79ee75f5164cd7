import type { Clock } from "@holdfast/core";

export interface GatherOptions {
  readonly clock: Clock;
  /** Milliseconds from the first batch on. */
  readonly withinMs: number;
}

/**
 * Gives the first batch together with those that follow within a time, and the rest as they come. Leaving the loop does not
 * wait for a read that is under way: the source has to end by its own signal.
 */
export async function* gatherFirst<T>(
  source: AsyncGenerator<readonly T[], void>,
  { clock, withinMs }: GatherOptions,
): AsyncGenerator<readonly T[], void> {
  try {
    const gathered: T[] = [];
    let next = await source.next();
    if (next.done === true) return;
    const { promise: isTime, resolve } = Promise.withResolvers<undefined>();
    // After a pause of the process timers come before what has arrived meanwhile.
    using _ = clock.schedule(withinMs, () => void clock.yield().then(() => resolve(undefined)));
    let reading: Promise<IteratorResult<readonly T[], void>>;
    for (;;) {
      gathered.push(...next.value);
      reading = source.next();
      // Whoever leaves the loop hears nothing of its end.
      reading.catch(() => undefined);
      const read = await Promise.race([reading, isTime]);
      if (read === undefined) break;
      if (read.done === true) {
        yield gathered;
        return;
      }
      next = read;
    }
    yield gathered;
    next = await reading;
    if (next.done === true) return;
    yield next.value;
    yield* source;
  } finally {
    void source.return().catch(() => undefined);
  }
}
