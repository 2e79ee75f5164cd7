import type { Clock } from "@holdfast/core";

export interface LoopShareOptions {
  readonly clock: Clock;
  /** Maximum number of bytes that all responses together write in one turn of the event loop. */
  readonly bytesPerTurn: number;
}

/**
 * Limits the part of each turn of the event loop that is spent on writing responses. A provider's change and a health
 * check need a few turns each; without the limit they would wait for every reader in each turn.
 */
export class LoopShare {
  readonly #options: LoopShareOptions;
  #left: number;
  #nextTurn: Promise<void> | undefined;

  constructor(options: LoopShareOptions) {
    this.#options = options;
    this.#left = options.bytesPerTurn;
  }

  /** True when more may be written in this turn. */
  get isLeft(): boolean {
    return this.#left > 0;
  }

  /** Counts bytes that are written in this turn. */
  spend(bytes: number): void {
    this.#left -= bytes;
    // Nothing else starts the next turn.
    void this.nextTurn();
  }

  /** Resolves when the next turn of the event loop has begun. */
  nextTurn(): Promise<void> {
    return (this.#nextTurn ??= this.#startTurn());
  }

  /** Resolves when these bytes may be written. Waiting readers are served in the order of their calls. */
  async take(bytes: number): Promise<void> {
    while (!this.isLeft) await this.nextTurn();
    this.spend(bytes);
  }

  async #startTurn(): Promise<void> {
    const { clock, bytesPerTurn } = this.#options;
    await clock.yield();
    this.#left = bytesPerTurn;
    this.#nextTurn = undefined;
  }
}
