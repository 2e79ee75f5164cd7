import type { ClusterNode } from "./cluster-node.ts";
import { hashNode, type ContentSum } from "./content-hash.ts";

const CHUNK = 256;

/** Builds the next version: its chunks, and the running size and sum. */
export class MemberDraft {
  readonly chunks: (readonly ClusterNode[])[] = [];
  #size: number;
  #high: number;
  #low: number;
  #isChanged = false;

  constructor(size: number, sum: ContentSum) {
    this.#size = size;
    this.#high = sum.high;
    this.#low = sum.low;
  }

  get size(): number {
    return this.#size;
  }

  get sum(): ContentSum {
    return { high: this.#high, low: this.#low };
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  count(before: ClusterNode | undefined, after: ClusterNode | undefined): void {
    this.#isChanged = true;
    if (before !== undefined) {
      const sum = hashNode(before);
      this.#size--;
      this.#high = (this.#high - sum.high) | 0;
      this.#low = (this.#low - sum.low) | 0;
    }
    if (after !== undefined) {
      const sum = hashNode(after);
      this.#size++;
      this.#high = (this.#high + sum.high) | 0;
      this.#low = (this.#low + sum.low) | 0;
    }
  }

  /** Merges two small neighbouring chunks, so that deletions do not leave many tiny chunks. */
  keep(chunk: readonly ClusterNode[]): void {
    const last = this.chunks.at(-1);
    if (chunk.length === 0) return;
    if (last !== undefined && last.length + chunk.length <= CHUNK / 2) {
      this.chunks[this.chunks.length - 1] = [...last, ...chunk];
    } else {
      this.chunks.push(chunk);
    }
  }

  /** Keeps unchanged chunks of the previous version. */
  keepAll(chunks: readonly (readonly ClusterNode[])[], from: number, to: number): void {
    if (from < to) this.keep(chunks[from]!);
    for (let c = from + 1; c < to; c++) this.chunks.push(chunks[c]!);
  }

  put(nodes: readonly ClusterNode[]): void {
    if (nodes.length <= CHUNK * 2) this.keep(nodes);
    else for (let i = 0; i < nodes.length; i += CHUNK) this.keep(nodes.slice(i, i + CHUNK));
  }
}
