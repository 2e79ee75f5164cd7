import type { Clock } from "../src/time/clock.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/**
 * A manually advanced clock for the tests of this package. `@holdfast/testing` depends on core, so it cannot be used
 * here.
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #time = 0;
  yields = 0;

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  schedule(delayMs: number, task: () => void): Disposable {
    const timer = { at: this.#time + Math.max(delayMs, 0), task };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  async yield(): Promise<void> {
    this.yields++;
  }

  /** Fires due timers in time order. */
  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#time = next.at;
      next.task();
    }
    this.#time = end;
  }
}
