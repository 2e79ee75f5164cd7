import type { Clock } from "./clock.ts";
import { untilAborted } from "./until-aborted.ts";
import { throwIfAborted } from "./abort.ts";

export interface SleepOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Waits for `delayMs` on the clock. Rejects as soon as the signal aborts, and then leaves no timer behind. */
export async function sleep(delayMs: number, options: SleepOptions): Promise<void> {
  throwIfAborted(options.signal);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = options.clock.schedule(delayMs, resolve);
  await untilAborted(promise, options.signal);
}
