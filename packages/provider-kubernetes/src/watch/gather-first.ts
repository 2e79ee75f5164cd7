import type { Clock } from "@holdfast/core";

export interface GatherOptions {
  readonly clock: Clock;
  /** How long to collect after the first batch, in milliseconds. */
  readonly withinMs: number;
}

/**
 * Yields the first batch together with the batches that follow within a time, and the others as they arrive. Leaving
 * the loop does not wait for a read in progress; the source must end by its own signal.
 */
export async function* gatherFirst<T>(
  source: AsyncGenerator<readonly T[], void>,
  { clock, withinMs }: GatherOptions,
): AsyncGenerator<readonly T[], void> {
  try {
    const gathered: T[] = [];
    let next = await source.next();
    if (next.done === true) return;
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
    // After the process was paused, timers fire before the data that has arrived in the meantime, so let it be
    // processed first.
    using _ = clock.schedule(withinMs, () => void clock.yield().then(() => resolve(undefined)));
    let reading: Promise<IteratorResult<readonly T[], void>>;
    for (;;) {
      gathered.push(...next.value);
      reading = source.next();
      // When the consumer leaves the loop, nothing else handles a rejection of the read.
      reading.catch(() => undefined);
      const read = await Promise.race([reading, timeout]);
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
