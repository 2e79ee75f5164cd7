import {
  MAX_MEMBERS,
  ProvisioningError,
  SkipTally,
  type ClusterNode,
  type MemberChange,
  type NodeId,
  type SkippedEntries,
} from "@holdfast/core";
import { isTerminating, type SliceContent } from "./endpoint-slice.ts";

/**
 * The members of many EndpointSlices together, kept slice by slice: a changed slice costs its own endpoints. An id that
 * stands in several slices (while an endpoint moves between them, or for a pod with two addresses) is one member: of those
 * that do not terminate, of IPv4, of the slice whose key sorts first, in this order.
 */
export class SliceSet {
  readonly #slices = new Map<string, SliceContent>();
  /** Where each id stands: the key of its slice, or the keys where it is in several. */
  readonly #places = new Map<NodeId, string | readonly string[]>();
  #skipped = 0;
  /** Slices, and what is in them. */
  #size = 0;

  get keys(): Iterable<string> {
    return this.#slices.keys();
  }

  /**
   * Puts slices in the place of those with the same key, takes others out, and says what that does to the members. Throws
   * `STREAM_INVALID_DATA` when there are more than `MAX_MEMBERS` slices and endpoints.
   */
  apply(put: readonly SliceContent[], removed: Iterable<string>): Required<MemberChange> {
    const touched = new Set<NodeId>();
    for (const key of removed) this.#take(key, touched);
    for (const slice of put) {
      this.#take(slice.key, touched);
      this.#put(slice, touched);
    }
    const upsert: ClusterNode[] = [];
    const remove: NodeId[] = [];
    for (const id of touched) {
      const node = this.get(id);
      if (node === undefined) remove.push(id);
      else upsert.push(node);
    }
    return { upsert, remove };
  }

  /** The members, in no order. */
  *nodes(): Generator<ClusterNode> {
    for (const id of this.#places.keys()) yield this.get(id)!;
  }

  get(id: NodeId): ClusterNode | undefined {
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    const keys = typeof place === "string" ? [place] : place;
    let best: { readonly slice: SliceContent; readonly node: ClusterNode } | undefined;
    for (const key of keys) {
      const slice = this.#slices.get(key)!;
      const node = slice.nodes.get(id)!;
      if (best === undefined || isBetter({ slice, node }, best)) best = { slice, node };
    }
    return best?.node;
  }

  /** What was left out of all slices; undefined when nothing was. */
  get skipped(): SkippedEntries | undefined {
    const tally = new SkipTally();
    if (this.#skipped === 0) return undefined;
    for (const slice of this.#slices.values()) for (const reason of slice.skipped) tally.skip(reason);
    return tally.toSkipped();
  }

  #put(slice: SliceContent, touched: Set<NodeId>): void {
    this.#slices.set(slice.key, slice);
    this.#skipped += slice.skipped.length;
    this.#size += sizeOf(slice);
    if (this.#size > MAX_MEMBERS) throw tooMany();
    for (const id of slice.nodes.keys()) {
      const place = this.#places.get(id);
      const keys = typeof place === "string" ? [place] : (place ?? []);
      this.#places.set(id, keys.length === 0 ? slice.key : [...keys, slice.key]);
      touched.add(id);
    }
  }

  #take(key: string, touched: Set<NodeId>): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    this.#slices.delete(key);
    this.#skipped -= slice.skipped.length;
    this.#size -= sizeOf(slice);
    for (const id of slice.nodes.keys()) {
      const place = this.#places.get(id);
      const keys = typeof place === "string" ? [] : place!.filter((each) => each !== key);
      if (keys.length === 0) this.#places.delete(id);
      else this.#places.set(id, keys.length === 1 ? keys[0]! : keys);
      touched.add(id);
    }
  }
}

function sizeOf({ nodes, skipped }: SliceContent): number {
  return 1 + nodes.size + skipped.length;
}

function tooMany(): ProvisioningError {
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the cluster shows more than ${MAX_MEMBERS} slices and endpoints`,
    { details: { maxMembers: MAX_MEMBERS } },
  );
}

interface Candidate {
  readonly slice: SliceContent;
  readonly node: ClusterNode;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (isTerminating(a.node) !== isTerminating(b.node)) return isTerminating(b.node);
  if (a.slice.isIpv6 !== b.slice.isIpv6) return b.slice.isIpv6;
  return a.slice.key < b.slice.key;
}
