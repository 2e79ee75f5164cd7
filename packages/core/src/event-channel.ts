import { whenAborted } from "./abort.ts";

/**
 * A single-consumer stream that producers push into: what a `watch()` that is fed by callbacks returns. `merge` may fold
 * a new item into the last one still waiting, so that a slow consumer holds bounded memory.
 */
export class EventChannel<T> implements AsyncIterableIterator<T> {
  readonly #waiting: T[] = [];
  readonly #merge: ((last: T, next: T) => T | undefined) | undefined;
  readonly #subscription: Disposable | undefined;
  #reader: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;

  /** The channel ends quietly when the signal aborts, dropping what still waits. */
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
    const last = this.#waiting.at(-1);
    const merged = last === undefined ? undefined : this.#merge?.(last, item);
    if (merged === undefined) this.#waiting.push(item);
    else this.#waiting[this.#waiting.length - 1] = merged;
  }

  /** Ends the stream after what still waits; with an error the consumer's next read then rejects with it. */
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
    if (this.#waiting.length > 0) {
      return Promise.resolve({ done: false, value: this.#waiting.shift()! });
    }
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
    this.#waiting.length = 0;
    this.#failure = undefined;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeReader(): PromiseWithResolvers<IteratorResult<T>> | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
