/**
 * One change to an input: where, and which; any whole numbers from 0 on will do. A property test makes lists of them, so that
 * a failing one shrinks to the few changes that matter.
 */
export interface Mutation {
  readonly place: number;
  readonly choice: number;
}

export function pick<T>(items: readonly T[], number: number): T {
  return items[number % items.length]!;
}
