import type { IdSet } from "./crash-folder.ts";

/** Work that changes the store while a daemon runs, and knows what may be in it. */
export interface StoreLoad {
  /** Begins nothing more. Resolves when what had begun has ended; then only what `possible` says can be stored. */
  stop(): Promise<void>;
  /** The sets of which one must be stored. */
  possible(): readonly IdSet[];
}
