/** Arrays about all partitions of one rank, which its heaps share. */
export interface HeapArrays {
  /** The draw of each partition and the node that holds it. */
  readonly draws: Float64Array;
  /** The index of each partition in the heap of its node. */
  readonly positions: Int32Array;
}

/** The partitions of one node in a binary heap: the first one is the first that the node gives up. */
export class PartitionHeap {
  readonly #arrays: HeapArrays;
  readonly #items: number[] = [];

  constructor(arrays: HeapArrays) {
    this.#arrays = arrays;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The partition that the node gives up first; undefined when it holds none. */
  get worst(): number | undefined {
    return this.#items[0];
  }

  /** The draw of the partition must be set. */
  add(partition: number): void {
    this.#items.push(partition);
    this.#up(this.#items.length - 1, partition);
  }

  remove(partition: number): void {
    const at = this.#arrays.positions[partition]!;
    const last = this.#items.pop()!;
    if (last === partition) return;
    this.#up(at, last);
    this.#down(this.#arrays.positions[last]!, last);
  }

  #up(from: number, partition: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#items[parent]!;
      if (!this.#isWorse(partition, other)) break;
      this.#put(at, other);
      at = parent;
    }
    this.#put(at, partition);
  }

  #down(from: number, partition: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && this.#isWorse(this.#items[child + 1]!, this.#items[child]!))
        child++;
      const other = this.#items[child]!;
      if (!this.#isWorse(other, partition)) break;
      this.#put(at, other);
      at = child;
    }
    this.#put(at, partition);
  }

  #put(at: number, partition: number): void {
    this.#items[at] = partition;
    this.#arrays.positions[partition] = at;
  }

  /** Of equal draws, the higher number is given up first. */
  #isWorse(a: number, b: number): boolean {
    const { draws } = this.#arrays;
    return draws[a]! < draws[b]! || (draws[a] === draws[b] && a > b);
  }
}
