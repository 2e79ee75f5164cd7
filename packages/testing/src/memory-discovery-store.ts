import type { DiscoveryStore, KnownServices } from "@holdfast/core";

/** A discovery store in memory that fails or hangs on request. */
export class MemoryDiscoveryStore implements DiscoveryStore {
  known: readonly KnownServices[] = [];
  /** How many saves have succeeded. */
  saves = 0;
  /** While this is set, every load and save rejects with it. */
  failure: unknown;
  /** While this is set, loads and saves do not settle. */
  hangs = false;

  async load(): Promise<readonly KnownServices[]> {
    await this.#access();
    return this.known;
  }

  async save(all: readonly KnownServices[]): Promise<void> {
    await this.#access();
    this.known = structuredClone(all);
    this.saves++;
  }

  async #access(): Promise<void> {
    if (this.hangs) await new Promise(() => {});
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
  }
}
