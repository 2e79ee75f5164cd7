import type { Clock } from "@holdfast/core";

const NOTHING: Disposable = { [Symbol.dispose]() {} };

/** The clock of one life of the service. Its timers can be counted, and end with the life. */
export class LifeClock implements Clock {
  readonly #world: Clock;
  readonly #timers = new Set<Disposable>();
  #isCut = false;

  constructor(world: Clock) {
    this.#world = world;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#world.now();
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  schedule(delayMs: number, task: () => void): Disposable {
    if (this.#isCut) return NOTHING;
    const timer = this.#world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers.delete(timer);
        timer[Symbol.dispose]();
      },
    };
  }

  yield(): Promise<void> {
    return this.#world.yield();
  }

  /** Simulates the end of the process: no timer fires any more. */
  cut(): void {
    this.#isCut = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }
}
