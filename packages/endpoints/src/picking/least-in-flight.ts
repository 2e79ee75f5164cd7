import type { Random } from "@holdfast/core";
import { AliasTable } from "./alias-table.ts";
import type { PickRequest, PickStrategy, PickStrategyFactory, Target } from "./target.ts";

/** Draws before every target is looked at; more are needed only when many are excluded or probed. */
const DRAWS = 8;

/**
 * The power of two choices: draws two endpoints by weight, and takes the one with fewer calls in flight for its weight. A
 * pick costs constant time. Good for calls of different length, and for endpoints of different speed.
 */
export function leastInFlight(): PickStrategyFactory {
  return ({ random }) => new LeastInFlight(random);
}

class LeastInFlight implements PickStrategy {
  readonly #random: Random;
  #targets: readonly Target[] = [];
  /** Absent when all weights are equal. */
  #table: AliasTable | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  update(targets: readonly Target[]): void {
    this.#targets = targets;
    const first = targets[0]?.endpoint.weight;
    const isEqual = targets.every(({ endpoint }) => endpoint.weight === first);
    this.#table = isEqual ? undefined : new AliasTable(targets.map(({ endpoint }) => endpoint.weight));
  }

  choose(_request: PickRequest, isFree: (target: Target) => boolean): Target | undefined {
    if (this.#targets.length === 0) return undefined;
    let first: Target | undefined;
    for (let i = 0; i < DRAWS; i++) {
      const target = this.#draw();
      if (target === first || !isFree(target)) continue;
      if (first === undefined) first = target;
      else return loadOf(target) < loadOf(first) ? target : first;
    }
    return first ?? this.#leastLoaded(isFree);
  }

  #draw(): Target {
    const random = this.#random();
    const i = this.#table?.draw(random) ?? Math.floor(random * this.#targets.length);
    return this.#targets[i]!;
  }

  #leastLoaded(isFree: (target: Target) => boolean): Target | undefined {
    let least: Target | undefined;
    for (const target of this.#targets) {
      if (isFree(target) && (least === undefined || loadOf(target) < loadOf(least))) least = target;
    }
    return least;
  }
}

function loadOf({ inFlight, endpoint }: Target): number {
  return inFlight / endpoint.weight;
}
