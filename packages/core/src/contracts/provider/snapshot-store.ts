import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";

/** The newest snapshot that was known to be good. */
export interface KnownGood {
  /** Without blocked nodes, and without members that were only kept by a guard. */
  readonly snapshot: ProviderSnapshot;
  /** Wall-clock milliseconds at which its provider last showed that it still holds. */
  readonly confirmedAt: number;
  /** Names what the provider looked at, opaque: content of anything else must not be served in its place. */
  readonly source: string;
}

/** Keeps the newest good snapshot across restarts. One service to a store. */
export interface SnapshotStore {
  /**
   * What was saved last; undefined when nothing was. Throws `STORE_CORRUPTED` (what is stored cannot be trusted) or
   * `STORE_IO`.
   */
  load(): Promise<KnownGood | undefined>;
  /** Replaces what is stored, durably once it resolves; else the old or the new is whole. Throws `STORE_IO`. */
  save(known: KnownGood): Promise<void>;
}
