import type { SuiteTime } from "@holdfast/conformance";
import { systemClock } from "@holdfast/core";
import type { VirtualClock } from "@holdfast/testing";

/** Time is virtual, and requests are real: a registration has no timers of its own. */
export class RealIoTime implements SuiteTime {
  readonly slackMs = 2_000;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    // Lets sockets close.
    await systemClock.yield();
  }

  /** Nothing that a registration does waits for time to pass. */
  async until<T>(work: PromiseLike<T>, withinMs: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    using _ = systemClock.schedule(withinMs, () => late.reject(new Error(`pending after ${withinMs} ms`)));
    return await Promise.race([work, late.promise]);
  }
}
