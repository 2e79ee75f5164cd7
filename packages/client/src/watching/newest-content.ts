import type { ProviderId, ProviderSnapshot } from "@holdfast/core";
import type { ContentMemory } from "../mirror/content-memory.ts";
import { readAtOf, type TopologyMirror } from "../mirror/topology-mirror.ts";

/**
 * The newest content of a daemon that was shown, over all connections to it and, with a last known good snapshot, in an earlier run. A
 * daemon that was restarted may have older content until its backend answers: that must not replace it.
 */
export class NewestContent {
  readonly #providerId: ProviderId;
  readonly #memory: ContentMemory | undefined;
  #shown: ProviderSnapshot | undefined;

  constructor(providerId: ProviderId, memory: ContentMemory | undefined) {
    this.#providerId = providerId;
    this.#memory = memory;
  }

  get snapshot(): ProviderSnapshot | undefined {
    const restored = this.#memory?.restored;
    return this.#shown ?? (restored?.providerId === this.#providerId ? restored : undefined);
  }

  /** The snapshot was shown. */
  keep(snapshot: ProviderSnapshot): void {
    this.#shown = snapshot;
  }

  /** Whether the daemon has other content, and read it before this one, by its own clock. False when it does not say so. */
  isNewerThan({ contentReadAt, contentHash }: TopologyMirror): boolean {
    const readAt = readAtOf(this.snapshot);
    if (readAt === undefined || contentReadAt === undefined) return false;
    return contentReadAt <= readAt && contentHash !== this.snapshot?.hash;
  }
}
