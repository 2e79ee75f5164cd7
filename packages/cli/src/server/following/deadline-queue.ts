import type { Clock } from "@holdfast/core";

export interface DeadlineQueueOptions<T> {
  readonly clock: Clock;
  /** The time from `start` to `onDue`, the same for all items, in milliseconds. */
  readonly delayMs: number;
  readonly onDue: (item: T) => void;
}

/** Deadlines of thousands of items with one timer. Because the delay is the same for all, the order of the starts is that of the deadlines. */
export class DeadlineQueue<T> implements Disposable {
  readonly #options: DeadlineQueueOptions<T>;
  /** The deadline of each item; earliest first. */
  readonly #dueAt: Map<T, number> = new Map();
  #timer: Disposable | undefined;

  constructor(options: DeadlineQueueOptions<T>) {
    this.#options = options;
  }

  get items(): Iterable<T> {
    return this.#dueAt.keys();
  }

  /** Starts the time of an item, again if it has already been started. */
  start(item: T): void {
    const { clock, delayMs } = this.#options;
    this.#dueAt.delete(item);
    this.#dueAt.set(item, clock.monotonic() + delayMs);
    this.#timer ??= clock.schedule(delayMs, () => this.#onTimer());
  }

  stop(item: T): void {
    if (this.#dueAt.delete(item) && this.#dueAt.size === 0) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#dueAt.clear();
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #onTimer(): void {
    const { clock, onDue } = this.#options;
    this.#timer = undefined;
    const now = clock.monotonic();
    const due: T[] = [];
    for (const [item, dueAt] of this.#dueAt) {
      if (dueAt > now) break;
      due.push(item);
    }
    for (const item of due) this.#dueAt.delete(item);
    for (const item of due) onDue(item);
    const [next] = this.#dueAt.values();
    if (next !== undefined) this.#timer ??= clock.schedule(next - now, () => this.#onTimer());
  }
}
