import { throwIfAborted, untilAborted } from "@holdfast/core";

/** One execution of the call, and how many callers wait for it. */
interface Round<T> {
  readonly stop: AbortController;
  readonly result: Promise<T>;
  callers: number;
}

/**
 * Lets many callers share the executions of one call, which run one at a time. A caller never gets the result of an execution that
 * began before it asked, so callers that come during one share the next one. An execution is aborted when all of its callers have
 * aborted.
 */
export class SharedCall<T> {
  readonly #call: (signal: AbortSignal) => Promise<T>;
  /** Settles when no execution is running. */
  #idle: Promise<unknown> = Promise.resolve();
  /** The execution that has not begun. */
  #next: Round<T> | undefined;

  constructor(call: (signal: AbortSignal) => Promise<T>) {
    this.#call = call;
  }

  /** Settles as the call does, or rejects with the reason of the signal. */
  async run(signal: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    if (this.#next === undefined || this.#next.stop.signal.aborted) this.#next = this.#schedule();
    const round = this.#next;
    round.callers++;
    try {
      return await untilAborted(round.result, signal);
    } finally {
      if (--round.callers === 0) round.stop.abort();
    }
  }

  #schedule(): Round<T> {
    const stop = new AbortController();
    const result = this.#idle.then(() => {
      if (this.#next === round) this.#next = undefined;
      throwIfAborted(stop.signal);
      return this.#call(stop.signal);
    });
    this.#idle = result.catch(() => undefined);
    const round: Round<T> = { stop, result, callers: 0 };
    return round;
  }
}
