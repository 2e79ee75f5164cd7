import {
  createDeadline,
  ProvisioningError,
  sleep,
  systemClock,
  untilAborted,
  type Clock,
} from "@holdfast/core";

/** Controls time in a suite. `VirtualClock` implements it; `createRealTime` is for implementations that do real I/O. */
export interface SuiteTime {
  /** Lets this many milliseconds pass. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until `work` settles, and settles as it does. Rejects when it is still pending after `withinMs`. */
  until<T>(work: PromiseLike<T>, withinMs: number): Promise<T>;
  /** Tolerance for work that should settle at once, in milliseconds. @defaultValue 0 */
  readonly slackMs?: number;
}

export interface RealTimeOptions {
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue 2000 */
  readonly slackMs?: number;
}

/** Real time, for implementations that do real I/O. */
export function createRealTime(options: RealTimeOptions = {}): SuiteTime {
  const { clock = systemClock, slackMs = 2_000 } = options;
  return {
    slackMs,
    advance: (ms) => sleep(ms, { clock }),
    async until(work, withinMs) {
      using deadline = createDeadline({
        clock,
        afterMs: withinMs,
        error: () => new ProvisioningError("CONNECTIVITY_TIMEOUT", `still pending after ${withinMs} ms`),
      });
      return await untilAborted(work, deadline.signal);
    },
  };
}
