/**
 * Draws an index with a probability in proportion to its weight, in constant time (the alias method of Vose).
 */
export class AliasTable {
  readonly #chances: Float64Array;
  readonly #aliases: Int32Array;

  /** Weights greater than 0. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    this.#chances = new Float64Array(count);
    this.#aliases = new Int32Array(count);
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
    const scaled = Float64Array.from(weights, (weight) => weight / mean);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) (scaled[i]! < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#chances[less] = scaled[less]!;
      this.#aliases[less] = more;
      scaled[more]! += scaled[less]! - 1;
      if (scaled[more]! < 1) small.push(large.pop()!);
    }
    // What is left differs from 1 by rounding only.
    for (const i of [...small, ...large]) this.#chances[i] = 1;
  }

  /** `random` is in [0, 1). */
  draw(random: number): number {
    const position = random * this.#chances.length;
    const i = Math.floor(position);
    return position - i < this.#chances[i]! ? i : this.#aliases[i]!;
  }
}
