import type { ClusterNode, NodeId } from "@holdfast/core";
import type { SliceChange } from "./slice-set.ts";

interface Lingering {
  readonly key: string;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * Keeps members that have vanished from all slices for a short time: an endpoint that moves between two slices may be taken out of the
 * old one before it is put into the new one. One that is still listed, but not ready, is removed at once.
 */
export class Settling {
  readonly #settleMs: number;
  /** In the order in which they are due. */
  readonly #lingering = new Map<NodeId, Lingering>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** When the first of them is due, on the monotonic clock; undefined when there is none. */
  get nextAt(): number | undefined {
    const [first] = this.#lingering.values();
    return first?.until;
  }

  /** The change to show now. */
  admit(
    { upsert, remove, vanished, listed }: SliceChange,
    now: number,
  ): { readonly upsert: readonly ClusterNode[]; readonly remove: readonly NodeId[] } {
    if (this.#settleMs === 0) return { upsert, remove };
    for (const { id } of upsert) this.#lingering.delete(id);
    const removeNow: NodeId[] = [];
    for (const [id, { key }] of this.#lingering) {
      if (!listed.has(key)) continue;
      // It is back under another id or address, or is not ready any more.
      this.#lingering.delete(id);
      removeNow.push(id);
    }
    for (const id of remove) {
      const key = vanished.get(id);
      if (key === undefined) removeNow.push(id);
      else this.#lingering.set(id, { key, until: now + this.#settleMs });
    }
    return { upsert, remove: removeNow };
  }

  /** The members whose time is up; they are forgotten. */
  takeDue(now: number): readonly NodeId[] {
    const due: NodeId[] = [];
    for (const [id, { until }] of this.#lingering) {
      if (until > now) break;
      due.push(id);
    }
    for (const id of due) this.#lingering.delete(id);
    return due;
  }

  /** All members that are kept; they are forgotten. */
  takeAll(): readonly NodeId[] {
    const all = [...this.#lingering.keys()];
    this.#lingering.clear();
    return all;
  }

  clear(): void {
    this.#lingering.clear();
  }
}
