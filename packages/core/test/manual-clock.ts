import type { Clock } from "../src/time/clock.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A clock moved by hand, for this package's own tests: `@holdfast/conformance` builds on core and can't be used here. */
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

  /** Fires what is due, in time order. */
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
