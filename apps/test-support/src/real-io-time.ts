import { systemClock } from "@holdfast/core";

/** The part of a `VirtualClock` that is used. */
interface AdvancingClock {
  advance(ms: number): Promise<void>;
}

/**
 * The time of a conformance suite whose subject does real I/O and waits for no timer: what the subject reads from the clock is
 * virtual, and the suite waits for I/O in real time.
 */
export class RealIoTime {
  readonly slackMs = 2_000;
  readonly #clock: AdvancingClock;

  constructor(clock: AdvancingClock) {
    this.#clock = clock;
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    // Lets sockets close.
    await systemClock.yield();
  }

  /** Waits in real time, because only I/O is awaited. */
  async until<T>(work: PromiseLike<T>, withinMs: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    using _ = systemClock.schedule(withinMs, () => late.reject(new Error(`pending after ${withinMs} ms`)));
    return await Promise.race([work, late.promise]);
  }
}
