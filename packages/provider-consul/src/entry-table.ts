import type { EntryOutcome } from "./health-entry-reader.ts";
import type { Span } from "./json-array-scanner.ts";

export interface Entry extends Span {
  readonly outcome: EntryOutcome;
}

/** What the entries of a body were, and where they stand in it, in order. */
export class EntryTable {
  static readonly empty: EntryTable = EntryTable.from([]);

  readonly outcomes: readonly EntryOutcome[];
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor(outcomes: readonly EntryOutcome[], starts: Uint32Array, ends: Uint32Array) {
    this.outcomes = outcomes;
    this.#starts = starts;
    this.#ends = ends;
  }

  static from(entries: readonly Entry[]): EntryTable {
    return new EntryTable(
      entries.map(({ outcome }) => outcome),
      Uint32Array.from(entries, ({ start }) => start),
      Uint32Array.from(entries, ({ end }) => end),
    );
  }

  get size(): number {
    return this.outcomes.length;
  }

  startOf(index: number): number {
    return this.#starts[index]!;
  }

  endOf(index: number): number {
    return this.#ends[index]!;
  }

  /** How many entries end before `at`. */
  countBefore(at: number): number {
    return countBelow(this.#ends, at);
  }

  /** The first entry that starts at `at` or behind it. */
  firstFrom(at: number): number {
    return countBelow(this.#starts, at);
  }

  /** The table with `entries` instead of those from `from` to `to`, those behind them moved by `shift`. */
  splice(from: number, to: number, entries: readonly Entry[], shift: number): EntryTable {
    const fresh = EntryTable.from(entries);
    const join = (mine: Uint32Array, theirs: Uint32Array): Uint32Array => {
      const joined = new Uint32Array(this.size - (to - from) + fresh.size);
      joined.set(mine.subarray(0, from));
      joined.set(theirs, from);
      for (let i = to, j = from + fresh.size; i < this.size; i++, j++) joined[j] = mine[i]! + shift;
      return joined;
    };
    return new EntryTable(
      [...this.outcomes.slice(0, from), ...fresh.outcomes, ...this.outcomes.slice(to)],
      join(this.#starts, fresh.#starts),
      join(this.#ends, fresh.#ends),
    );
  }
}

/** How many of the sorted numbers are smaller. */
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
