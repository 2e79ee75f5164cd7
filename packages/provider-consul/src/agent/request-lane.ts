import { throwIfAborted, untilAborted } from "@holdfast/core";

/** Limits the number of requests that run at the same time. Further requests wait, in order. */
export class RequestLane {
  #limit: number;
  #running = 0;
  /** The functions that admit the requests that wait, in order. */
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A lower limit applies as requests end; none is interrupted. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Resolves when the request may start. Dispose of the result when the request has ended. Rejects when the signal aborts. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    throwIfAborted(signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    this.#admit();
    try {
      await untilAborted(promise, signal);
    } catch (error) {
      if (!this.#waiting.delete(resolve)) this.#leave();
      throw error;
    }
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (!isOver) this.#leave();
        isOver = true;
      },
    };
  }

  #leave(): void {
    this.#running--;
    this.#admit();
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#running >= this.#limit) return;
      this.#waiting.delete(admit);
      this.#running++;
      admit();
    }
  }
}
