/**
 * Calls a function for each item, one at a time and in order. An item that is pushed during such a call waits until the call has
 * returned, so nested calls cannot change the order.
 */
export class OneAtATime<T> {
  readonly #handle: (item: T) => void;
  readonly #waiting: T[] = [];
  #isHandling = false;

  /** If `handle` throws, the error is thrown by `push`, and the items that wait are handled at the next `push`. */
  constructor(handle: (item: T) => void) {
    this.#handle = handle;
  }

  push(item: T): void {
    this.#waiting.push(item);
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#handle(next);
      }
    } finally {
      this.#isHandling = false;
    }
  }
}
