import type { Clock } from "@holdfast/core";

export interface LoopShareOptions {
  readonly clock: Clock;
  /** How many bytes all responses together may write in one turn of the event loop. */
  readonly bytesPerTurn: number;
}

/**
 * Bounds how much of each turn of the event loop goes into writing responses, so that a provider's change and a health check,
 * which need a few turns each, do not wait for every reader in each of them.
 */
export class LoopShare {
  readonly #options: LoopShareOptions;
  #left: number;
  #nextTurn: Promise<void> | undefined;

  constructor(options: LoopShareOptions) {
    this.#options = options;
    this.#left = options.bytesPerTurn;
  }

  /** Resolves when these bytes may be written. Readers that wait are served in the order in which they came. */
  async take(bytes: number): Promise<void> {
    while (this.#left <= 0) await (this.#nextTurn ??= this.#startTurn());
    this.#left -= bytes;
    // Without a reader that waits, nothing else would begin the next turn.
    this.#nextTurn ??= this.#startTurn();
  }

  async #startTurn(): Promise<void> {
    const { clock, bytesPerTurn } = this.#options;
    await clock.yield();
    this.#left = bytesPerTurn;
    this.#nextTurn = undefined;
  }
}
