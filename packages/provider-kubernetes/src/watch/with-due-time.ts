import type { Clock } from "@holdfast/core";

export interface DueTimeOptions {
  readonly clock: Clock;
  /** Returns the next due time in milliseconds of the monotonic clock; undefined when there is none. */
  readonly nextAt: () => number | undefined;
}

/**
 * Yields the batches of a source, and an empty batch at each due time. Leaving the loop does not wait for a read in
 * progress; the source must end by its own signal.
 */
export async function* withDueTime<T>(
  source: AsyncGenerator<readonly T[], void>,
  { clock, nextAt }: DueTimeOptions,
): AsyncGenerator<readonly T[], void> {
  try {
    for (;;) {
      const reading = source.next();
      reading.catch(() => undefined);
      let read: IteratorResult<readonly T[], void> | undefined;
      while (read === undefined) {
        const dueAt = nextAt();
        read = dueAt === undefined ? await reading : await raceUntil(reading, dueAt, clock);
        if (read === undefined) yield [];
      }
      if (read.done === true) return;
      yield read.value;
    }
  } finally {
    void source.return().catch(() => undefined);
  }
}

/** Returns undefined when the due time comes first. */
async function raceUntil<R>(reading: Promise<R>, dueAt: number, clock: Clock): Promise<R | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  using _ = clock.schedule(Math.max(dueAt - clock.monotonic(), 0), () => resolve(undefined));
  return await Promise.race([reading, promise]);
}
