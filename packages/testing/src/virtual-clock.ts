import { ProvisioningError, SerialQueue, type Clock } from "@holdfast/core";

export interface VirtualClockOptions {
  /** The initial wall-clock time, in milliseconds since 1970. @defaultValue 2026-01-01T00:00:00Z */
  readonly startAt?: number;
}

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly task: () => void;
}

/**
 * A clock that only advances when `advance` or `until` is called. Timers fire in the order of their due times; timers
 * with the same due time fire in the order they were scheduled. Real I/O (files, sockets, other timers) is not
 * controlled by it.
 */
export class VirtualClock implements Clock {
  readonly #advances: SerialQueue = new SerialQueue();
  readonly #startAt: number;
  // Sorted by due time and order; the next timer to fire comes first.
  readonly #timers: Timer[] = [];
  #elapsed = 0;
  #jumped = 0;
  #scheduled = 0;

  constructor(options: VirtualClockOptions = {}) {
    this.#startAt = options.startAt ?? Date.UTC(2026, 0, 1);
  }

  now(): number {
    return this.#startAt + this.#elapsed + this.#jumped;
  }

  /** Milliseconds since the creation of the clock. */
  monotonic(): number {
    return this.#elapsed;
  }

  /** An `advance` that fires a task which throws rejects with its error. */
  schedule(delayMs: number, task: () => void): Disposable {
    assertNumber("delayMs", delayMs);
    const timer = { dueAt: this.#elapsed + Math.max(delayMs, 0), order: this.#scheduled++, task };
    this.#timers.splice(this.#indexOf(timer), 0, timer);
    return {
      [Symbol.dispose]: () => {
        const index = this.#indexOf(timer);
        if (this.#timers[index] === timer) this.#timers.splice(index, 1);
      },
    };
  }

  /** Yields to other promise chains. No time passes, and the clock need not be advanced. */
  yield(): Promise<void> {
    return Promise.resolve();
  }

  /** Number of timers that have neither fired nor been disposed of: 0 when nothing leaks. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Changes only the wall clock, forwards or backwards, as an administrator or a time service may do. */
  jump(ms: number): void {
    assertNumber("ms", ms);
    this.#jumped += ms;
  }

  /**
   * Advances by `ms` and fires every timer that falls due, also those scheduled during the advance. Promise chains
   * settle before the first timer, after each timer, and at the end. Overlapping calls run one after the other.
   */
  advance(ms: number): Promise<void> {
    return this.#advances.run(async () => {
      assertNumber("ms", ms);
      const target = this.#elapsed + Math.max(ms, 0);
      await this.settle();
      while (this.#fireNext(target)) await this.settle();
      this.#elapsed = target;
    });
  }

  /**
   * Advances from timer to timer until `work` settles, for at most `withinMs`. Settles as `work` does; rejects with
   * `CONNECTIVITY_TIMEOUT` when it is still pending after that.
   */
  until<T>(work: PromiseLike<T>, withinMs: number): Promise<T> {
    return this.#advances.run(async () => {
      assertNumber("withinMs", withinMs);
      const target = this.#elapsed + Math.max(withinMs, 0);
      let isSettled = false;
      const markSettled = () => {
        isSettled = true;
      };
      work.then(markSettled, markSettled);
      await this.settle();
      while (!isSettled && this.#fireNext(target)) await this.settle();
      if (isSettled) return work;
      this.#elapsed = target;
      throw new ProvisioningError(
        "CONNECTIVITY_TIMEOUT",
        `still pending after ${withinMs} ms of virtual time`,
      );
    });
  }

  /** Lets every promise chain run until it waits for a timer or for I/O. No time passes. */
  settle(): Promise<void> {
    // The event loop runs immediates only when no microtask is left, however many were queued.
    // oxlint-disable-next-line no-restricted-globals -- the only real wait; it takes no measurable time
    return new Promise((resolve) => void setImmediate(resolve));
  }

  #fireNext(target: number): boolean {
    const timer = this.#timers[0];
    if (timer === undefined || timer.dueAt > target) return false;
    this.#timers.shift();
    this.#elapsed = timer.dueAt;
    timer.task();
    return true;
  }

  /** The index of the timer, or where to insert it. */
  #indexOf(timer: Timer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle]!;
      const isBefore =
        other.dueAt < timer.dueAt || (other.dueAt === timer.dueAt && other.order < timer.order);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function assertNumber(name: string, value: number): void {
  if (!Number.isNaN(value)) return;
  throw new ProvisioningError("VALIDATION_MALFORMED", `${name} is not a number`);
}
