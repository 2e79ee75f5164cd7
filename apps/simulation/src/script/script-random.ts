import type { Random } from "@holdfast/core";

/** Random choices for scripts. */
export class ScriptRandom {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns true with this probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** Returns an integer from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("there is nothing to choose from");
    return choice;
  }

  /** Picks a choice with a probability proportional to its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#random() * total;
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    return choices[choices.length - 1]![1];
  }

  /** Includes each element with the given probability, in order. */
  some<T>(choices: readonly T[], probability = 0.5): readonly T[] {
    return choices.filter(() => this.chance(probability));
  }
}
