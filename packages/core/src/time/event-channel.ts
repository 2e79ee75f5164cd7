import { whenAborted } from "./abort.ts";

/**
 * A single-consumer stream that producers push into. Use it as the result of a `watch()` that is driven by callbacks.
 * `merge` can combine a new item with the last waiting one, so that the memory for a slow consumer is bounded.
 */
export class EventChannel<T> implements AsyncIterableIterator<T> {
  #waiting: T[] = [];
  /** Number of read items at the start of the array; shifting a long array for each item would be slow. */
  #read = 0;
  readonly #merge: ((last: T, next: T) => T | undefined) | undefined;
  readonly #subscription: Disposable | undefined;
  #reader: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;

  /** The channel ends without an error when the signal aborts, and drops waiting items. */
  constructor(signal: AbortSignal, merge?: (last: T, next: T) => T | undefined) {
    this.#merge = merge;
    this.#subscription = whenAborted(signal, () => void this.return());
  }

  push(item: T): void {
    if (this.#isClosed) return;
    if (this.#reader !== undefined) {
      this.#takeReader()?.resolve({ done: false, value: item });
      return;
    }
    const hasLast = this.#read < this.#waiting.length;
    const merged = hasLast ? this.#merge?.(this.#waiting.at(-1)!, item) : undefined;
    if (merged === undefined) this.#waiting.push(item);
    else this.#waiting[this.#waiting.length - 1] = merged;
  }

  /** Ends the stream after the waiting items. With an error, the consumer's next read then rejects with it. */
  close(failure?: { readonly error: unknown }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#subscription?.[Symbol.dispose]();
    const reader = this.#takeReader();
    if (reader === undefined) this.#failure = failure;
    else if (failure === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(failure.error);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#read < this.#waiting.length) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#isClosed) return Promise.resolve({ done: true, value: undefined });
    this.#reader ??= Promise.withResolvers();
    return this.#reader.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#waiting = [];
    this.#read = 0;
    this.#failure = undefined;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #shift(): T {
    const item = this.#waiting[this.#read++]!;
    // Read items are removed once they are half of the array, so that neither time nor memory accumulates.
    if (this.#read * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#read);
      this.#read = 0;
    }
    return item;
  }

  #takeReader(): PromiseWithResolvers<IteratorResult<T>> | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
