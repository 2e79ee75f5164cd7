/** Places on a ring: hashes of 32 bits in ascending order, each with the slot of its owner. Immutable. */
export class RingPlaces {
  static readonly none: RingPlaces = new RingPlaces(new Uint32Array(0), new Int32Array(0));

  readonly #hashes: Uint32Array;
  readonly #slots: Int32Array;
  /** The first place for each value of the leading bits of a hash, so that a search looks at few places. */
  readonly #starts: Int32Array;
  readonly #shift: number;

  private constructor(hashes: Uint32Array, slots: Int32Array) {
    this.#hashes = hashes;
    this.#slots = slots;
    this.#shift = shiftFor(hashes.length);
    this.#starts = findStarts(hashes, this.#shift);
  }

  /** Sorts places. Takes linear time, because hashes are spread evenly. */
  static from(hashes: Uint32Array, slots: Int32Array): RingPlaces {
    const shift = shiftFor(hashes.length);
    const next = findStarts(hashes, shift);
    const sortedHashes = new Uint32Array(hashes.length);
    const sortedSlots = new Int32Array(hashes.length);
    for (let i = 0; i < hashes.length; i++) {
      const at = next[bucketOf(hashes[i]!, shift)]!++;
      sortedHashes[at] = hashes[i]!;
      sortedSlots[at] = slots[i]!;
    }
    sortNearly(sortedHashes, sortedSlots);
    return new RingPlaces(sortedHashes, sortedSlots);
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
    let i = this.#starts[bucketOf(hash, this.#shift)] ?? 0;
    while (i < this.#hashes.length && this.#hashes[i]! < hash) i++;
    return i;
  }

  /** The places whose slot is kept, together with those of another ring. */
  merge(isKept: (slot: number) => boolean, added: RingPlaces): RingPlaces {
    const hashes = new Uint32Array(this.size + added.size);
    const slots = new Int32Array(hashes.length);
    let size = 0;
    let a = 0;
    for (let i = 0; i < this.size; i++) {
      if (!isKept(this.#slots[i]!)) continue;
      while (a < added.size && added.#hashes[a]! < this.#hashes[i]!) {
        hashes[size] = added.#hashes[a]!;
        slots[size++] = added.#slots[a++]!;
      }
      hashes[size] = this.#hashes[i]!;
      slots[size++] = this.#slots[i]!;
    }
    for (; a < added.size; a++) {
      hashes[size] = added.#hashes[a]!;
      slots[size++] = added.#slots[a]!;
    }
    return new RingPlaces(hashes.subarray(0, size), slots.subarray(0, size));
  }
}

/** The number of bits of a hash that do not select its bucket. With them, a bucket has one or two places on average. */
function shiftFor(size: number): number {
  return 32 - Math.max(1, Math.floor(Math.log2(Math.max(1, size))));
}

function bucketOf(hash: number, shift: number): number {
  return hash >>> shift;
}

/** The number of hashes in lower buckets, for each bucket. */
function findStarts(hashes: Uint32Array, shift: number): Int32Array {
  const starts = new Int32Array(2 ** (32 - shift) + 1);
  for (const hash of hashes) starts[bucketOf(hash, shift) + 1]! += 1;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  return starts;
}

/** Insertion sort, for places of which each is near to where it belongs. */
function sortNearly(hashes: Uint32Array, slots: Int32Array): void {
  for (let i = 1; i < hashes.length; i++) {
    const hash = hashes[i]!;
    const slot = slots[i]!;
    let at = i;
    for (; at > 0 && hashes[at - 1]! > hash; at--) {
      hashes[at] = hashes[at - 1]!;
      slots[at] = slots[at - 1]!;
    }
    hashes[at] = hash;
    slots[at] = slot;
  }
}
