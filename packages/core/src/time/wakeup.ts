/** Wakes one waiting reader. A `wake()` while the reader is busy is not lost: its next `wait()` returns at once. */
export class Wakeup {
  #pending = Promise.withResolvers<void>();

  wake(): void {
    this.#pending.resolve();
  }

  /** Resolves at the first `wake()` since the last `wait()` returned. */
  async wait(): Promise<void> {
    await this.#pending.promise;
    this.#pending = Promise.withResolvers();
  }
}
