import type { ProviderDescriptor } from "./provider-descriptor.ts";

/** Keeps the set of descriptors across restarts. */
export interface ProviderStore {
  /**
   * The stored set, in the order it was saved; empty when nothing was ever saved. Throws `STORE_CORRUPTED` (a damaged
   * store is left untouched) or `STORE_IO`.
   */
  load(): Promise<readonly ProviderDescriptor[]>;
  /**
   * Replaces the whole set, durably once it resolves; when it rejects or the process dies the old or the new set is whole.
   * Throws `STORE_IO`, or `STORE_CONFLICT` when somebody else saved since this store last loaded or saved.
   */
  save(all: readonly ProviderDescriptor[]): Promise<void>;
}
