import { hashText } from "@holdfast/core";
import { HashRing } from "./hash-ring.ts";
import type { PickContext, PickRequest, PickStrategy, PickStrategyFactory, Target } from "./target.ts";

export interface ByKeyOptions {
  /**
   * An endpoint gets at most this many times its share of the calls in flight; further calls go to the next endpoint on the
   * ring. At least 1; `Infinity` for no limit. @defaultValue 1.25
   */
  readonly loadFactor?: number | undefined;
  /** But an endpoint may always have this many calls in flight. @defaultValue 4 */
  readonly minInFlight?: number | undefined;
}

/**
 * Calls with the same key go to the same endpoint, in every process that has the same endpoints (consistent hashing with
 * bounded loads). With `subset`, that is every process with the same `clientId`. When an endpoint leaves, only its keys
 * move. Without a key, a call goes to a random endpoint.
 */
export function byKey(options: ByKeyOptions = {}): PickStrategyFactory {
  return (context) => new ByKey(context, options);
}

class ByKey implements PickStrategy {
  readonly #context: PickContext;
  readonly #loadFactor: number;
  readonly #minInFlight: number;
  readonly #ring = new HashRing();
  #targets: readonly Target[] = [];
  #weight = 0;

  constructor(context: PickContext, { loadFactor = 1.25, minInFlight = 4 }: ByKeyOptions) {
    this.#context = context;
    this.#loadFactor = loadFactor;
    this.#minInFlight = minInFlight;
  }

  update(targets: readonly Target[]): void {
    this.#targets = targets;
    this.#weight = targets.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
    this.#ring.update(targets);
  }

  choose({ key }: PickRequest, isFree: (target: Target) => boolean): Target | undefined {
    const ring = this.#ring;
    if (ring.size === 0) return undefined;
    const hash = key === undefined ? Math.floor(this.#context.random() * 2 ** 32) : hashText(key).high >>> 0;
    const first = ring.indexOf(hash);
    const target = ring.targetAt(first);
    if (target.inFlight < this.#minInFlight && isFree(target)) return target;
    return this.#next(first, isFree);
  }

  /** The first free target on the ring below its limit; if there is none, the first free one. */
  #next(first: number, isFree: (target: Target) => boolean): Target | undefined {
    const ring = this.#ring;
    const perWeight = (this.#loadFactor * (this.#context.inFlight() + 1)) / this.#weight;
    const seen = new Set<Target>();
    let overloaded: Target | undefined;
    for (let i = first, steps = ring.size; steps > 0 && seen.size < this.#targets.length; steps--) {
      const target = ring.targetAt(i);
      i = i + 1 === ring.size ? 0 : i + 1;
      if (seen.has(target)) continue;
      seen.add(target);
      if (!isFree(target)) continue;
      const limit = Math.max(this.#minInFlight, Math.ceil(perWeight * target.endpoint.weight));
      if (target.inFlight < limit) return target;
      overloaded ??= target;
    }
    return overloaded;
  }
}
