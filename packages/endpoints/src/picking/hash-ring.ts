import { hashText, mix, type TextHash } from "../hash/hash-text.ts";
import type { Target } from "./target.ts";

/** Places on the ring of an endpoint with about the mean weight. The shares of equal endpoints differ by about an eighth. */
const POINTS = 64;
/** An endpoint with a large weight has no more places, so that the ring stays small. */
const MAX_POINTS = 4_096;
/** A place is one number: its hash of 32 bits, and below it the slot of its endpoint. */
const SLOTS = 2 ** 20;

interface Owner {
  readonly target: Target;
  readonly points: number;
  readonly slot: number;
}

/**
 * Consistent hashing: each endpoint has places on a ring, in number by its weight. When one leaves, only its keys move. The
 * same endpoints give the same ring in every process. A change costs one pass over the ring.
 */
export class HashRing {
  /** Sorted. */
  #places: Float64Array = new Float64Array(0);
  readonly #slots: (Target | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #owners: ReadonlyMap<Target, Owner> = new Map();

  update(targets: readonly Target[]): void {
    const unit = unitOf(targets);
    const before = this.#owners;
    const owners = new Map<Target, Owner>();
    const added: Owner[] = [];
    for (const target of targets) {
      const points = Math.min(MAX_POINTS, Math.max(1, Math.round((POINTS * target.endpoint.weight) / unit)));
      const known = before.get(target);
      if (known?.points === points) owners.set(target, known);
      else {
        const owner = { target, points, slot: this.#takeSlot(target) };
        owners.set(target, owner);
        added.push(owner);
      }
    }
    const removed = [...before.values()].filter((owner) => owners.get(owner.target) !== owner);
    for (const { slot } of removed) this.#slots[slot] = undefined;
    const kept =
      removed.length === 0
        ? this.#places
        : this.#places.filter((place) => this.#slots[place % SLOTS] !== undefined);
    for (const { slot } of removed) this.#freeSlots.push(slot);
    this.#places = merge(kept, createPlaces(added));
    this.#owners = owners;
  }

  get size(): number {
    return this.#places.length;
  }

  /** The index of the first place at or after the hash, an integer in [0, 2^32). The ring must not be empty. */
  indexOf(hash: number): number {
    const places = this.#places;
    const searched = hash * SLOTS;
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (places[middle]! < searched) low = middle + 1;
      else high = middle;
    }
    return low === places.length ? 0 : low;
  }

  targetAt(index: number): Target {
    const target = this.#slots[this.#places[index]! % SLOTS]!;
    const next = index + 1;
    if (next === this.#places.length || !this.#isSameHash(index, next)) return target;
    // Slots differ between processes. Two places with one hash belong to the endpoint with the lower id everywhere.
    const other = this.#slots[this.#places[next]! % SLOTS]!;
    return other.endpoint.node.id < target.endpoint.node.id ? other : target;
  }

  #isSameHash(a: number, b: number): boolean {
    return Math.floor(this.#places[a]! / SLOTS) === Math.floor(this.#places[b]! / SLOTS);
  }

  #takeSlot(target: Target): number {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = target;
    return slot;
  }
}

/** The power of two next to the mean weight. It rarely changes, so that one changed weight does not move all places. */
function unitOf(targets: readonly Target[]): number {
  const sum = targets.reduce((total, { endpoint }) => total + endpoint.weight, 0);
  return 2 ** Math.round(Math.log2(sum / targets.length));
}

function createPlaces(owners: readonly Owner[]): Float64Array {
  const places = new Float64Array(owners.reduce((sum, { points }) => sum + points, 0));
  let at = 0;
  for (const { target, points, slot } of owners) {
    const hash = hashText(target.endpoint.node.id);
    for (let i = 0; i < points; i++) places[at++] = pointOf(hash, i) * SLOTS + slot;
  }
  return places.sort();
}

function pointOf({ high, low }: TextHash, i: number): number {
  return mix(high ^ mix(low ^ Math.imul(i + 1, 0x9e3779b1))) >>> 0;
}

function merge(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Float64Array(a.length + b.length);
  let i = 0;
  let j = 0;
  for (let at = 0; at < merged.length; at++) {
    const isFirst = j === b.length || (i < a.length && a[i]! <= b[j]!);
    merged[at] = isFirst ? a[i++]! : b[j++]!;
  }
  return merged;
}
