import type { IdSet } from "./crash-folder.ts";

/** Changes the store while a daemon runs, and knows which sets can be stored. */
export interface StoreLoad {
  /** Starts no further change. Resolves when the last one has ended; after that only a set of `possible()` can be stored. */
  stop(): Promise<void>;
  /** The sets of which one must be stored. */
  possible(): readonly IdSet[];
}
