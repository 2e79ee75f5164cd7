import type { Span } from "./json-array-scanner.ts";

/** One element of an array: its position in the text, and what was read from it. */
export interface Entry<T> extends Span {
  readonly value: T;
}

/**
 * The elements of an array in a text, in order. Positions are stored in typed arrays, because an array may have a
 * million elements.
 */
export class EntryTable<T> {
  readonly values: readonly T[];
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor(values: readonly T[], starts: Uint32Array, ends: Uint32Array) {
    this.values = values;
    this.#starts = starts;
    this.#ends = ends;
  }

  static from<T>(entries: readonly Entry<T>[]): EntryTable<T> {
    return new EntryTable(
      entries.map(({ value }) => value),
      Uint32Array.from(entries, ({ start }) => start),
      Uint32Array.from(entries, ({ end }) => end),
    );
  }

  get size(): number {
    return this.values.length;
  }

  startOf(index: number): number {
    return this.#starts[index]!;
  }

  endOf(index: number): number {
    return this.#ends[index]!;
  }

  /** The number of entries that end before `at`. */
  countBefore(at: number): number {
    return countBelow(this.#ends, at);
  }

  /** The index of the first entry that starts at `at` or after it. */
  firstFrom(at: number): number {
    return countBelow(this.#starts, at);
  }

  /**
   * Returns the table with `entries` in place of the entries from `from` to `to`. The entries after them are moved by
   * `shift` bytes.
   */
  splice(from: number, to: number, entries: readonly Entry<T>[], shift: number): EntryTable<T> {
    const fresh = EntryTable.from(entries);
    const join = (mine: Uint32Array, theirs: Uint32Array): Uint32Array => {
      const joined = new Uint32Array(this.size - (to - from) + fresh.size);
      joined.set(mine.subarray(0, from));
      joined.set(theirs, from);
      for (let i = to, j = from + fresh.size; i < this.size; i++, j++) joined[j] = mine[i]! + shift;
      return joined;
    };
    return new EntryTable(
      [...this.values.slice(0, from), ...fresh.values, ...this.values.slice(to)],
      join(this.#starts, fresh.#starts),
      join(this.#ends, fresh.#ends),
    );
  }
}

/** Returns how many of the sorted numbers are less than `limit`. */
function countBelow(sorted: Uint32Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
