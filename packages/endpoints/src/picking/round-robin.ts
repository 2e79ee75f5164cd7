import type { Random } from "@holdfast/core";
import type { PickRequest, PickStrategy, PickStrategyFactory, Target } from "./target.ts";

interface Turn {
  target: Target;
  weight: number;
  /** The virtual time of the next turn: it advances by 1 / weight with each. */
  at: number;
}

/**
 * Smooth weighted round robin: in any sequence of picks each endpoint gets its share, evenly spread (earliest deadline
 * first). A pick costs O(log n). Clients begin at random places, so that they do not all call the same endpoint first.
 */
export function roundRobin(): PickStrategyFactory {
  return ({ random }) => new RoundRobin(random);
}

class RoundRobin implements PickStrategy {
  readonly #random: Random;
  #turns: ReadonlyMap<Target, Turn> = new Map();
  /** A binary heap: the earliest turn is first. */
  #heap: Turn[] = [];
  #now = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  update(targets: readonly Target[]): void {
    const turns = new Map<Target, Turn>();
    for (const target of targets) {
      const { weight } = target.endpoint;
      const turn = this.#turns.get(target) ?? { target, weight, at: this.#now + this.#random() / weight };
      if (turn.weight !== weight) {
        // The rest of the wait shrinks or grows with the interval.
        turn.at = this.#now + ((turn.at - this.#now) * turn.weight) / weight;
        turn.weight = weight;
      }
      turns.set(target, turn);
    }
    this.#turns = turns;
    this.#heap = [...turns.values()];
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  choose(_request: PickRequest, isFree: (target: Target) => boolean): Target | undefined {
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    return isFree(first.target) ? this.#take(first) : this.#choosePast(isFree);
  }

  #choosePast(isFree: (target: Target) => boolean): Target | undefined {
    const passed: Turn[] = [];
    let chosen: Target | undefined;
    for (let turn = this.#heap[0]; turn !== undefined && chosen === undefined; turn = this.#heap[0]) {
      if (isFree(turn.target)) chosen = this.#take(turn);
      else {
        passed.push(turn);
        this.#removeFirst();
      }
    }
    for (const turn of passed) {
      // A target that is not free loses its turn. If it kept it, it would get many calls in a row later.
      if (chosen !== undefined) turn.at = this.#now + 1 / turn.weight;
      this.#insert(turn);
    }
    return chosen;
  }

  /** The turn must be the first of the heap. */
  #take(turn: Turn): Target {
    this.#now = turn.at;
    turn.at += 1 / turn.weight;
    this.#sink(0);
    return turn.target;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #insert(turn: Turn): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(turn);
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      if (heap[parent]!.at <= turn.at) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = turn;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const turn = heap[from]!;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= turn.at) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = turn;
  }
}
