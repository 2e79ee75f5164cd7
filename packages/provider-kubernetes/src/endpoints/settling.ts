import type { ClusterNode, NodeId } from "@holdfast/core";
import type { SliceChange } from "./slice-set.ts";

interface PendingRemoval {
  readonly key: string;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * Keeps members that have disappeared from all slices for a short time, because an endpoint that moves between two
 * slices may be removed from the old slice before it is added to the new one. An endpoint that is still listed, but not
 * ready, is removed at once.
 */
export class Settling {
  readonly #settleMs: number;
  /** The kept members, sorted by the time of their removal. */
  readonly #pending = new Map<NodeId, PendingRemoval>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /**
   * When the next kept member must be removed, in milliseconds of the monotonic clock; undefined when there is none.
   */
  get nextAt(): number | undefined {
    const [first] = this.#pending.values();
    return first?.until;
  }

  /** Takes a change of slices and returns the change of members that takes effect now. */
  admit(
    { upsert, remove, vanished, listed }: SliceChange,
    now: number,
  ): { readonly upsert: readonly ClusterNode[]; readonly remove: readonly NodeId[] } {
    if (this.#settleMs === 0) return { upsert, remove };
    for (const { id } of upsert) this.#pending.delete(id);
    const removeNow: NodeId[] = [];
    for (const [id, { key }] of this.#pending) {
      if (!listed.has(key)) continue;
      // It is listed again with another id or address, or it is not ready.
      this.#pending.delete(id);
      removeNow.push(id);
    }
    for (const id of remove) {
      const key = vanished.get(id);
      if (key === undefined) removeNow.push(id);
      else this.#pending.set(id, { key, until: now + this.#settleMs });
    }
    return { upsert, remove: removeNow };
  }

  /** Returns the members whose time is over, and stops keeping them. */
  takeDue(now: number): readonly NodeId[] {
    const due: NodeId[] = [];
    for (const [id, { until }] of this.#pending) {
      if (until > now) break;
      due.push(id);
    }
    for (const id of due) this.#pending.delete(id);
    return due;
  }

  clear(): void {
    this.#pending.clear();
  }
}
