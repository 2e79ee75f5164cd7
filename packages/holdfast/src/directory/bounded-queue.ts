import { throwIfAborted, whenAborted, toAbortError } from "@holdfast/core";

/** Runs tasks in call order, at most `limit` at the same time. */
export class BoundedQueue {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Settles as `task` does. Rejects with the reason of the signal if it aborts before the task has started. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (this.#running < this.#limit) {
      this.#running++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    using _ = whenAborted(signal, () => {
      // After its turn has come, the task starts.
      if (this.#waiting.delete(resolve)) reject(toAbortError(signal!));
    });
    await promise;
  }

  /** Passes the place on to the task that has waited for longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
