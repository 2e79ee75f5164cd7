import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";

/** The newest snapshot that was known to be good. */
export interface KnownGood {
  /** Contains no blocked nodes, and no members that were only kept by a guard. */
  readonly snapshot: ProviderSnapshot;
  /** Wall-clock milliseconds at which its provider last confirmed the snapshot. */
  readonly confirmedAt: number;
  /** Identifies the source of the content, opaque. The snapshot must not be used for a different source. */
  readonly source: string;
}

/** Keeps the newest good snapshot across restarts. Must not be shared by two services. */
export interface SnapshotStore {
  /**
   * Returns the last saved snapshot, or `undefined` when nothing was saved. Throws `STORE_CORRUPTED` (the stored
   * content cannot be trusted) or `STORE_IO`.
   */
  load(): Promise<KnownGood | undefined>;
  /**
   * Replaces the stored snapshot; it is durable once the call resolves. When the call rejects, the store holds the
   * complete old or new snapshot. Throws `STORE_IO`.
   */
  save(known: KnownGood): Promise<void>;
}
