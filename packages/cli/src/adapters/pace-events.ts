import { ProvisioningError, type Clock } from "@holdfast/core";

/** Limit for the events of one watch within a second; more are a fault of the adapter. */
const MAX_EVENTS_PER_SECOND = 10_000;
/** Number of events after which the event loop runs other work. */
const EVENTS_PER_TURN = 256;

/**
 * Passes events on and yields to the event loop between them, because a source without pauses would otherwise block
 * signals, timers and sockets. Throws `STREAM_FAILED` when there are too many.
 */
export async function* paceEvents<T>(
  source: AsyncIterable<T>,
  { adapter, clock }: { readonly adapter: string; readonly clock: Clock },
): AsyncGenerator<T, void> {
  let since = clock.monotonic();
  let count = 0;
  for await (const event of source) {
    yield event;
    count++;
    if (count % EVENTS_PER_TURN !== 0) continue;
    await clock.yield();
    const now = clock.monotonic();
    if (now - since >= 1_000) {
      since = now;
      count = 0;
    } else if (count > MAX_EVENTS_PER_SECOND) {
      const message = `the adapter "${adapter}" sent more than ${MAX_EVENTS_PER_SECOND} events within a second`;
      throw new ProvisioningError("STREAM_FAILED", message, { details: { adapter } });
    }
  }
}
