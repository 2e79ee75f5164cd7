import { throwIfAborted } from "./abort.ts";
import type { Clock } from "./clock.ts";

export interface SliceOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a generator to its end and yields to the event loop at each of its yields. Rejects with `LIFECYCLE_ABORTED`. */
export async function runSliced<T>(steps: Iterator<void, T>, options: SliceOptions): Promise<T> {
  for (;;) {
    throwIfAborted(options.signal);
    const step = steps.next();
    if (step.done === true) return step.value;
    await options.clock.yield();
  }
}
