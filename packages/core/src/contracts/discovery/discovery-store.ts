import type { FoundService } from "./service-discovery.ts";

/** The services that one source has listed. */
export interface KnownServices {
  /** Identifies the source, opaque. */
  readonly source: string;
  readonly services: readonly FoundService[];
}

/**
 * Keeps which services were found across restarts, so that the topologies of known services start although a backend is down. Must not be
 * shared by two processes.
 */
export interface DiscoveryStore {
  /**
   * Returns what was saved last; empty when nothing was ever saved. Throws `STORE_CORRUPTED` (a damaged store is not changed) or
   * `STORE_IO`.
   */
  load(): Promise<readonly KnownServices[]>;
  /**
   * Replaces everything; it is durable once the call resolves. When the call rejects or the process dies, the store holds the complete old
   * or new content. Throws `STORE_CORRUPTED` or `STORE_IO`.
   */
  save(all: readonly KnownServices[]): Promise<void>;
}
