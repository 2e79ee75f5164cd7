import { whenAborted, type Clock, type LogPosition, type TopologyLog } from "@holdfast/core";

export interface LogWaiterOptions {
  readonly log: TopologyLog;
  readonly clock: Clock;
  /** Longest wait when there are no events, in milliseconds. */
  readonly idleMs: number;
  /** Ends the waiting. Events that the log already holds are still returned. */
  readonly signal: AbortSignal;
}

/**
 * The result of a wait. `expired`: the log no longer holds the events after the position, or belongs to another epoch.
 */
export type WaitOutcome = "event" | "idle" | "expired" | "aborted";

/**
 * Waits for the next event after a position. It holds no reference to an event, so a slow reader keeps none in memory.
 */
export class LogWaiter implements Disposable {
  readonly #options: LogWaiterOptions;
  readonly #unsubscribe: () => void;
  readonly #ending: Disposable;
  #wakeUp = Promise.withResolvers<void>();

  constructor(options: LogWaiterOptions) {
    this.#options = options;
    this.#unsubscribe = options.log.onEvent(() => this.#wakeUp.resolve());
    this.#ending = whenAborted(options.signal, () => this.#wakeUp.resolve());
  }

  async wait({ epoch, seqNo }: LogPosition): Promise<WaitOutcome> {
    const { log, clock, idleMs, signal } = this.#options;
    for (;;) {
      this.#wakeUp = Promise.withResolvers();
      const events = log.eventsSince(epoch, seqNo, 1);
      if (events === undefined) return "expired";
      if (events.length > 0) return "event";
      if (signal.aborted) return "aborted";
      let isIdle = false;
      using _ = clock.schedule(idleMs, () => {
        isIdle = true;
        this.#wakeUp.resolve();
      });
      await this.#wakeUp.promise;
      if (isIdle) return "idle";
    }
  }

  [Symbol.dispose](): void {
    this.#ending[Symbol.dispose]();
    this.#unsubscribe();
  }
}
