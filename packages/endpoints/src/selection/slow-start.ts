import type { MemberDelta, NodeId } from "@holdfast/core";

export interface SlowStartOptions {
  /** How long the weight of a new member rises to its full value, in milliseconds. */
  readonly rampMs: number;
  /** The share of its weight with which a new member begins, greater than 0. @defaultValue 0.1 */
  readonly initialShare?: number | undefined;
}

/** The weight of a new member changes this often, because each change costs the consumers an update. */
const STEPS = 10;

/** Raises the weights of new members in ten equal steps. Steps of all members are taken at the same moments. */
export class SlowStart {
  readonly #stepMs: number;
  readonly #initialShare: number;
  /** The number of the step in which a member joined. */
  readonly #joined = new Map<NodeId, number>();

  constructor({ rampMs, initialShare = 0.1 }: SlowStartOptions) {
    this.#stepMs = rampMs / STEPS;
    this.#initialShare = initialShare;
  }

  /** Members that joined at `now`, in monotonic milliseconds, and members that left. */
  apply({ added, removed, updated }: MemberDelta, now: number): void {
    for (const { id } of removed) this.#joined.delete(id);
    for (const { id } of added) this.#joined.set(id, this.#stepAt(now));
    for (const { before, after } of updated) {
      // Another address is another process.
      if (before.host !== after.host || before.port !== after.port)
        this.#joined.set(after.id, this.#stepAt(now));
    }
  }

  /** The share of its weight that a member has at `now`, in (0, 1]. */
  shareOf(id: NodeId, now: number): number {
    const joined = this.#joined.get(id);
    if (joined === undefined) return 1;
    const steps = this.#stepAt(now) - joined;
    return steps >= STEPS ? 1 : this.#initialShare + ((1 - this.#initialShare) * steps) / STEPS;
  }

  /** Forgets members with their full weight. Returns when the next step is due, or `undefined` without a new member. */
  nextStepAt(now: number): number | undefined {
    const step = this.#stepAt(now);
    for (const [id, joined] of this.#joined) if (step - joined >= STEPS) this.#joined.delete(id);
    return this.#joined.size === 0 ? undefined : (step + 1) * this.#stepMs;
  }

  #stepAt(now: number): number {
    return Math.floor(now / this.#stepMs);
  }
}
