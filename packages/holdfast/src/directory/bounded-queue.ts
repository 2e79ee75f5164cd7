import { throwIfAborted, toAbortError, whenAborted, type Clock } from "@holdfast/core";

export interface BoundedQueueOptions {
  /** How many tasks run at the same time. */
  readonly limit: number;
  /** A task that takes longer no longer counts, so that tasks that hang do not block the others. Milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
}

/** Runs tasks in call order, a limited number at the same time. */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
  }

  /** Settles as `task` does. Rejects with the reason of the signal if it aborts before the task has started. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const { clock, patienceMs } = this.#options;
    let isOver = false;
    const leave = () => {
      if (!isOver) this.#leave();
      isOver = true;
    };
    using _ = clock.schedule(patienceMs, leave);
    try {
      return await task();
    } finally {
      leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (this.#running < this.#options.limit) {
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
