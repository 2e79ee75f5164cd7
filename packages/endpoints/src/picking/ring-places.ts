/** A bucket has 4 to 8 places on average. */
const BUCKET_BITS = 2;

/** Places on a ring: hashes of 32 bits, each with the slot of its owner, sorted by both. Immutable. */
export class RingPlaces {
  static readonly none: RingPlaces = RingPlaces.from(new Uint32Array(0), new Int32Array(0));

  readonly #hashes: Uint32Array;
  readonly #slots: Int32Array;
  /** The first place of each bucket: a bucket has the places with the same leading bits, so that a search looks at few. */
  readonly #starts: Int32Array;
  readonly #shift: number;

  private constructor(hashes: Uint32Array, slots: Int32Array, starts: Int32Array, shift: number) {
    this.#hashes = hashes;
    this.#slots = slots;
    this.#starts = starts;
    this.#shift = shift;
  }

  /** Sorts places. Takes linear time, because hashes are spread evenly. */
  static from(hashes: Uint32Array, slots: Int32Array): RingPlaces {
    const shift = shiftFor(hashes.length);
    const starts = countBuckets(hashes, shift);
    const next = starts.slice();
    const sortedHashes = new Uint32Array(hashes.length);
    const sortedSlots = new Int32Array(hashes.length);
    for (let i = 0; i < hashes.length; i++) {
      const at = next[hashes[i]! >>> shift]!++;
      sortedHashes[at] = hashes[i]!;
      sortedSlots[at] = slots[i]!;
    }
    sortNearly(sortedHashes, sortedSlots);
    return new RingPlaces(sortedHashes, sortedSlots, starts, shift);
  }

  get size(): number {
    return this.#hashes.length;
  }

  hashAt(index: number): number {
    return this.#hashes[index]!;
  }

  slotAt(index: number): number {
    return this.#slots[index]!;
  }

  /** The index of the first place at or after the hash, or `size`. */
  indexOf(hash: number): number {
    let i = this.#starts[hash >>> this.#shift]!;
    while (i < this.#hashes.length && this.#hashes[i]! < hash) i++;
    return i;
  }

  /**
   * Returns the places without some of them, and with others. Costs one copy, and a search for each place that is removed
   * or added.
   */
  replace(removed: RingPlaces, added: RingPlaces): RingPlaces {
    if (this.size === removed.size) return added;
    const hashes = new Uint32Array(this.size - removed.size + added.size);
    const slots = new Int32Array(hashes.length);
    let from = 0;
    let to = 0;
    const copyUntil = (end: number) => {
      hashes.set(this.#hashes.subarray(from, end), to);
      slots.set(this.#slots.subarray(from, end), to);
      to += end - from;
      from = end;
    };
    let r = 0;
    let a = 0;
    while (r < removed.size || a < added.size) {
      if (r === removed.size || (a < added.size && isBefore(added, a, removed, r))) {
        copyUntil(this.#positionOf(added, a));
        hashes[to] = added.#hashes[a]!;
        slots[to++] = added.#slots[a++]!;
      } else {
        copyUntil(this.#positionOf(removed, r++));
        from++;
      }
    }
    copyUntil(this.size);
    const shift = shiftFor(hashes.length);
    const starts = shift === this.#shift ? this.#shiftedStarts(removed, added) : countBuckets(hashes, shift);
    return new RingPlaces(hashes, slots, starts, shift);
  }

  /** The index of a place of other places, or where it would be. */
  #positionOf(others: RingPlaces, i: number): number {
    const hash = others.#hashes[i]!;
    let at = this.indexOf(hash);
    while (this.#hashes[at] === hash && this.#slots[at]! < others.#slots[i]!) at++;
    return at;
  }

  #shiftedStarts(removed: RingPlaces, added: RingPlaces): Int32Array {
    const changes = new Int32Array(this.#starts.length);
    for (const hash of removed.#hashes) changes[(hash >>> this.#shift) + 1]! -= 1;
    for (const hash of added.#hashes) changes[(hash >>> this.#shift) + 1]! += 1;
    const starts = this.#starts.slice();
    let shifted = 0;
    for (let i = 0; i < starts.length; i++) starts[i]! += shifted += changes[i]!;
    return starts;
  }
}

/** The number of bits of a hash that do not select its bucket. */
function shiftFor(size: number): number {
  return 32 - Math.max(1, Math.floor(Math.log2(Math.max(1, size))) - BUCKET_BITS);
}

/** The number of hashes in lower buckets, for each bucket. */
function countBuckets(hashes: Uint32Array, shift: number): Int32Array {
  const starts = new Int32Array(2 ** (32 - shift) + 1);
  for (const hash of hashes) starts[(hash >>> shift) + 1]! += 1;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  return starts;
}

/** Insertion sort, for places of which each is near to where it belongs. */
function sortNearly(hashes: Uint32Array, slots: Int32Array): void {
  for (let i = 1; i < hashes.length; i++) {
    const hash = hashes[i]!;
    const slot = slots[i]!;
    let at = i;
    for (; at > 0 && (hashes[at - 1]! > hash || (hashes[at - 1] === hash && slots[at - 1]! > slot)); at--) {
      hashes[at] = hashes[at - 1]!;
      slots[at] = slots[at - 1]!;
    }
    hashes[at] = hash;
    slots[at] = slot;
  }
}

function isBefore(a: RingPlaces, i: number, b: RingPlaces, j: number): boolean {
  const difference = a.hashAt(i) - b.hashAt(j);
  return difference < 0 || (difference === 0 && a.slotAt(i) < b.slotAt(j));
}
