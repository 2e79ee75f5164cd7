import type { ProviderDescriptor } from "./provider-descriptor.ts";

/** Keeps a set of descriptors across restarts. */
export interface ProviderStore {
  /**
   * Returns the stored set, in the order in which it was saved; empty when nothing was ever saved. Throws
   * `STORE_CORRUPTED` (a damaged store is not changed) or `STORE_IO`.
   */
  load(): Promise<readonly ProviderDescriptor[]>;
  /**
   * Replaces the whole set; it is durable once the call resolves. When the call rejects or the process dies, the store
   * holds the complete old or new set. Throws `STORE_IO`, or `STORE_CONFLICT` when another store saved since this one
   * last loaded or saved.
   */
  save(all: readonly ProviderDescriptor[]): Promise<void>;
}
