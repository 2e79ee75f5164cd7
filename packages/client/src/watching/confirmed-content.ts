import type { ProviderSnapshot } from "@holdfast/core";
import type { TopologyMirror } from "../mirror/topology-mirror.ts";

/**
 * The last content of a daemon that the daemon confirmed as current, over all connections to it. A daemon that was restarted may have
 * older content until its backend answers: that must not replace it.
 */
export class ConfirmedContent {
  #snapshot: ProviderSnapshot | undefined;
  #readAt: number | undefined;

  get snapshot(): ProviderSnapshot | undefined {
    return this.#snapshot;
  }

  confirm(snapshot: ProviderSnapshot, { contentReadAt }: TopologyMirror): void {
    this.#snapshot = snapshot;
    this.#readAt = contentReadAt;
  }

  /** Whether the daemon read its content before the confirmed one, by its own clock. False when it does not say so. */
  isNewerThan({ contentReadAt }: TopologyMirror): boolean {
    return this.#readAt !== undefined && contentReadAt !== undefined && contentReadAt < this.#readAt;
  }
}
