import { isSameNode, type ClusterNode, type NodeId } from "./cluster-node.ts";
import { EMPTY_SUM, type ContentSum } from "./content-hash.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { MemberDraft } from "./member-draft.ts";
import { MemberMerge } from "./member-merge.ts";
import { sortById } from "./sort-by-id.ts";
import { runSliced, type SliceOptions } from "../time/time-slice.ts";

/**
 * Nodes to add or replace, and ids to remove. The order does not matter; the last upsert of an id counts, and an upsert
 * wins over a removal.
 */
export interface MemberChange {
  readonly upsert?: Iterable<ClusterNode>;
  readonly remove?: Iterable<NodeId>;
}

const NONE: readonly ClusterNode[] = [];
const STEP = 1_024;

/**
 * The members of a topology, sorted by id (code units), immutable. Versions share structure: `apply` copies one chunk
 * of at most 512 pointers for each changed node, `replace` keeps node objects and chunks that did not change, and
 * comparing two versions skips what they share. `sum` is kept up to date.
 */
export class MemberSet implements Iterable<ClusterNode> {
  static readonly empty: MemberSet = new MemberSet([], 0, EMPTY_SUM);

  readonly size: number;
  readonly sum: ContentSum;
  /** Sorted runs, none of them empty. Public so that versions can be compared; treat it as opaque. */
  readonly chunks: readonly (readonly ClusterNode[])[];
  #array: readonly ClusterNode[] | undefined;

  /** Use `MemberSet.empty` and `MemberSet.from`: the arguments must be consistent and are not checked. */
  constructor(chunks: readonly (readonly ClusterNode[])[], size: number, sum: ContentSum) {
    this.chunks = chunks;
    this.size = size;
    this.sum = sum;
  }

  /** Creates a set of these nodes, in any order. Throws `VALIDATION_DUPLICATE_ID` when two nodes share an id. */
  static from(nodes: Iterable<ClusterNode>): MemberSet {
    return MemberSet.empty.replace(nodes);
  }

  get(id: NodeId): ClusterNode | undefined {
    const chunk = this.chunks[findChunk(this.chunks, id)];
    if (chunk === undefined) return undefined;
    const node = chunk[lowerBound(chunk, id)];
    return node?.id === id ? node : undefined;
  }

  has(id: NodeId): boolean {
    return this.get(id) !== undefined;
  }

  *[Symbol.iterator](): Iterator<ClusterNode> {
    for (const chunk of this.chunks) yield* chunk;
  }

  /** All members as one array, created at the first call and kept. */
  toArray(): readonly ClusterNode[] {
    return (this.#array ??= this.chunks.flat());
  }

  /** Returns the set with the change applied; the same object when nothing changes. */
  apply(change: MemberChange): MemberSet {
    const edits = new Map<NodeId, ClusterNode | undefined>();
    for (const id of change.remove ?? []) edits.set(id, undefined);
    for (const node of change.upsert ?? []) edits.set(node.id, node);
    if (edits.size === 0) return this;
    const ids = [...edits.keys()].sort();
    const draft = new MemberDraft(this.size, this.sum);
    let c = 0;
    let next = 0;
    while (next < ids.length) {
      const index = findChunk(this.chunks, ids[next]!);
      draft.keepAll(this.chunks, c, index);
      const chunk = this.chunks[index] ?? [];
      const bound = this.chunks[index + 1]?.[0]!.id;
      const merged: ClusterNode[] = [];
      let isChanged = false;
      let i = 0;
      for (; next < ids.length && (bound === undefined || ids[next]! < bound); next++) {
        const id = ids[next]!;
        const at = lowerBound(chunk, id, i);
        while (i < at) merged.push(chunk[i++]!);
        const before = chunk[i]?.id === id ? chunk[i++] : undefined;
        const after = edits.get(id);
        if (before !== undefined && after !== undefined && isSameNode(before, after)) {
          merged.push(before);
          continue;
        }
        if (before === undefined && after === undefined) continue;
        draft.count(before, after);
        if (after !== undefined) merged.push(after);
        isChanged = true;
      }
      while (i < chunk.length) merged.push(chunk[i++]!);
      if (isChanged) draft.put(merged);
      else draft.keep(chunk);
      c = index + 1;
    }
    draft.keepAll(this.chunks, c, this.chunks.length);
    return this.#finish(draft);
  }

  /**
   * Returns a set with exactly these nodes, in any order, which shares unchanged nodes; equal content returns the same
   * object. Throws `VALIDATION_DUPLICATE_ID` when two nodes share an id.
   */
  replace(nodes: Iterable<ClusterNode>): MemberSet {
    const steps = this.#replaceInSteps(nodes);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /**
   * Like `replace`, but yields to the event loop after about every thousand nodes. Rejects with `LIFECYCLE_ABORTED`.
   */
  replaceSliced(nodes: Iterable<ClusterNode>, options: SliceOptions): Promise<MemberSet> {
    return runSliced(this.#replaceInSteps(nodes), options);
  }

  /**
   * Returns a function that finds members by id as `get` does, and is fast for lookups in the order of the set. An
   * adapter uses it while it reads the next response of its backend, most of which is usually unchanged and in order.
   */
  finder(): (id: NodeId) => ClusterNode | undefined {
    const { chunks } = this;
    let c = 0;
    let chunk = chunks[0] ?? NONE;
    let i = 0;
    return (id) => {
      if (chunk[i]?.id !== id) {
        c = findChunk(chunks, id);
        chunk = chunks[c] ?? NONE;
        i = lowerBound(chunk, id);
        if (chunk[i]?.id !== id) return undefined;
      }
      const node = chunk[i++];
      if (i === chunk.length) {
        chunk = chunks[++c] ?? NONE;
        i = 0;
      }
      return node;
    };
  }

  *#replaceInSteps(nodes: Iterable<ClusterNode>): Generator<void, MemberSet> {
    const given = Array.isArray(nodes) ? (nodes as readonly ClusterNode[]) : [...nodes];
    const merged = yield* this.#mergeInSteps(given);
    if (merged !== undefined) return merged;
    return (yield* this.#mergeInSteps(assertNoDuplicates(yield* sortById(given))))!;
  }

  /** Returns `undefined` when the nodes are not strictly sorted. */
  *#mergeInSteps(next: readonly ClusterNode[]): Generator<void, MemberSet | undefined> {
    const draft = new MemberDraft(this.size, this.sum);
    const merge = new MemberMerge(this.chunks, next, draft);
    for (;;) {
      const outcome = merge.run(STEP);
      if (outcome === "unsorted") return undefined;
      if (outcome === "done") return this.#finish(draft);
      yield;
    }
  }

  #finish(draft: MemberDraft): MemberSet {
    if (!draft.isChanged) return this;
    return draft.size === 0 ? MemberSet.empty : new MemberSet(draft.chunks, draft.size, draft.sum);
  }
}

/** The index of the chunk for `id`: the last one whose first id is not greater. */
function findChunk(chunks: readonly (readonly ClusterNode[])[], id: NodeId): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (chunks[middle]![0]!.id <= id) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The index of `id` in the sorted chunk, starting at `from`, or where to insert it. */
function lowerBound(chunk: readonly ClusterNode[], id: NodeId, from = 0): number {
  let low = from;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle]!.id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function assertNoDuplicates(nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  for (let i = 1; i < nodes.length; i++) {
    const id = nodes[i]!.id;
    if (nodes[i - 1]!.id !== id) continue;
    throw new ProvisioningError("VALIDATION_DUPLICATE_ID", `two members share the id "${id}"`, {
      details: { nodeId: id },
    });
  }
  return nodes;
}
