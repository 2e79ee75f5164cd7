import type { ProviderSnapshot } from "@holdfast/core";
import type { TopologyMirror } from "../mirror/topology-mirror.ts";

/**
 * The newest content of a daemon that was shown, over all connections to it. A daemon that was restarted may have older content until its
 * backend answers: that must not replace it.
 */
export class NewestContent {
  #snapshot: ProviderSnapshot | undefined;
  #readAt: number | undefined;

  get snapshot(): ProviderSnapshot | undefined {
    return this.#snapshot;
  }

  /** The snapshot was shown. */
  keep(snapshot: ProviderSnapshot, { contentReadAt }: TopologyMirror): void {
    this.#snapshot = snapshot;
    this.#readAt = contentReadAt;
  }

  /** Whether the daemon has other content, and read it before this one, by its own clock. False when it does not say so. */
  isNewerThan({ contentReadAt, contentHash }: TopologyMirror): boolean {
    if (this.#readAt === undefined || contentReadAt === undefined) return false;
    return contentReadAt <= this.#readAt && contentHash !== this.#snapshot?.hash;
  }
}
