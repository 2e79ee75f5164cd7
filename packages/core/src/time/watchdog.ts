import type { Clock } from "./clock.ts";

/** Calls `onSilence` after `timeoutMs` without a call to `reset()`. Uses one timer however often it is reset. */
export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #resetAt: number;
  #timer: Disposable;

  constructor(clock: Clock, timeoutMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
    this.#resetAt = clock.monotonic();
    this.#timer = clock.schedule(timeoutMs, () => this.#check());
  }

  reset(): void {
    this.#resetAt = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #check(): void {
    const leftMs = this.#resetAt + this.#timeoutMs - this.#clock.monotonic();
    if (leftMs <= 0) this.#onSilence();
    else this.#timer = this.#clock.schedule(leftMs, () => this.#check());
  }
}
