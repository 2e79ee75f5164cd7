import { isSameNode, type ClusterNode } from "./cluster-node.ts";
import type { MemberDraft } from "./member-draft.ts";

const NONE: readonly ClusterNode[] = [];

/** Traverses the chunks of one version and the sorted nodes of the next one together, and builds the next version. */
export class MemberMerge {
  readonly #chunks: readonly (readonly ClusterNode[])[];
  readonly #next: readonly ClusterNode[];
  readonly #draft: MemberDraft;
  #from = 0;
  #chunk = 0;
  /** The position in the chunk, and the nodes kept of it so far; undefined while all of them are kept. */
  #i = 0;
  #kept: ClusterNode[] | undefined;

  constructor(chunks: readonly (readonly ClusterNode[])[], next: readonly ClusterNode[], draft: MemberDraft) {
    this.#chunks = chunks;
    this.#next = next;
    this.#draft = draft;
  }

  /**
   * Processes up to `count` nodes. `unsorted`: a node is not greater than the one before it, so the draft is invalid.
   */
  run(count: number): "more" | "done" | "unsorted" {
    const next = this.#next;
    const end = Math.min(this.#from + count, next.length);
    let chunk = this.#chunks[this.#chunk] ?? NONE;
    let bound = this.#chunks[this.#chunk + 1]?.[0]!.id;
    let kept = this.#kept;
    let i = this.#i;
    let from = this.#from;
    while (from < end) {
      const node = next[from]!;
      // The common and cheap case: the same object at the same position, with its neighbours in order.
      if (chunk[i] === node) {
        kept?.push(node);
        i++;
        from++;
        continue;
      }
      if (from > 0 && next[from - 1]!.id >= node.id) return "unsorted";
      if (bound !== undefined && node.id >= bound) {
        this.#close(chunk, i, kept);
        this.#chunk++;
        chunk = this.#chunks[this.#chunk]!;
        bound = this.#chunks[this.#chunk + 1]?.[0]!.id;
        kept = undefined;
        i = 0;
        continue;
      }
      const gone = i;
      while (i < chunk.length && chunk[i]!.id < node.id) this.#draft.count(chunk[i++], undefined);
      const before = chunk[i]?.id === node.id ? chunk[i] : undefined;
      const isSame = before !== undefined && isSameNode(before, node);
      if (!isSame || i > gone) kept ??= chunk.slice(0, gone);
      if (!isSame) this.#draft.count(before, node);
      kept?.push(isSame ? before : node);
      if (before !== undefined) i++;
      from++;
    }
    this.#from = from;
    this.#kept = kept;
    this.#i = i;
    if (from < next.length) return "more";
    this.#close(chunk, i, kept);
    for (const rest of this.#chunks.slice(this.#chunk + 1)) this.#close(rest, 0, undefined);
    return "done";
  }

  /** The rest of the chunk from `i` on was removed. */
  #close(chunk: readonly ClusterNode[], i: number, kept: ClusterNode[] | undefined): void {
    const nodes = i < chunk.length ? (kept ?? chunk.slice(0, i)) : kept;
    for (; i < chunk.length; i++) this.#draft.count(chunk[i], undefined);
    if (nodes === undefined) this.#draft.keep(chunk);
    else this.#draft.put(nodes);
  }
}
