import {
  createDeadline,
  ProvisioningError,
  sleep,
  systemClock,
  untilAborted,
  type Clock,
} from "@holdfast/core";

/** How time goes by in a suite: a `VirtualClock` is one; `createRealTime` is for what does real I/O. */
export interface SuiteTime {
  /** Lets so many milliseconds go by. */
  advance(ms: number): Promise<void>;
  /** Settles as `work` does while time goes by; rejects when it is still pending after `withinMs`. */
  until<T>(work: PromiseLike<T>, withinMs: number): Promise<T>;
  /** How long what should happen at once may take, in milliseconds. @defaultValue 0 */
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
