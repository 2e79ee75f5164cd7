/**
 * One change to an input: `place` selects where, `choice` selects which change. Any whole numbers from 0 are valid. A
 * property test generates lists of mutations, so that a failing list shrinks to the few changes that matter.
 */
export interface Mutation {
  readonly place: number;
  readonly choice: number;
}

export function pick<T>(items: readonly T[], number: number): T {
  return items[number % items.length]!;
}
