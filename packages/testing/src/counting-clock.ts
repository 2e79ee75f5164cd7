import { systemClock, type Clock } from "@holdfast/core";

/** The system clock, with a count of the timers that have neither fired nor been disposed of. */
export class CountingClock implements Clock {
  #pending = 0;

  get pendingTimers(): number {
    return this.#pending;
  }

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  yield(): Promise<void> {
    return systemClock.yield();
  }

  schedule(delayMs: number, task: () => void): Disposable {
    let isOver = false;
    const finish = (): void => {
      if (!isOver) this.#pending--;
      isOver = true;
    };
    this.#pending++;
    const timer = systemClock.schedule(delayMs, () => {
      finish();
      task();
    });
    return {
      [Symbol.dispose]() {
        finish();
        timer[Symbol.dispose]();
      },
    };
  }
}
