import { hashText, mixHash } from "@holdfast/core";
import { RingPlaces } from "./ring-places.ts";
import type { Target } from "./target.ts";

/** Places on the ring of an endpoint with about the mean weight. The shares of equal endpoints deviate by about 9%. */
const POINTS = 128;
/** An endpoint with a large weight has no more places, so that the ring stays small. */
const MAX_POINTS = 8_192;

interface Owner {
  readonly target: Target;
  readonly points: number;
  readonly slot: number;
}

/**
 * Consistent hashing: each endpoint has places on a ring, in number by its weight. When one leaves, only its keys move. The
 * same endpoints give the same ring in every process. A change costs one copy of the ring.
 */
export class HashRing {
  #places = RingPlaces.none;
  readonly #slots: (Target | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #owners: ReadonlyMap<Target, Owner> = new Map();

  get size(): number {
    return this.#places.size;
  }

  update(targets: readonly Target[]): void {
    const unit = unitOf(targets);
    const before = this.#owners;
    const owners = new Map<Target, Owner>();
    const added: Owner[] = [];
    for (const target of targets) {
      const points = Math.min(MAX_POINTS, Math.max(1, Math.round((POINTS * target.endpoint.weight) / unit)));
      const known = before.get(target);
      const owner = known?.points === points ? known : { target, points, slot: this.#takeSlot(target) };
      if (owner !== known) added.push(owner);
      owners.set(target, owner);
    }
    const removed = [...before.values()].filter((owner) => owners.get(owner.target) !== owner);
    if (added.length + removed.length === 0) return;
    this.#places = this.#places.replace(createPlaces(removed), createPlaces(added));
    for (const { slot } of removed) {
      this.#slots[slot] = undefined;
      this.#freeSlots.push(slot);
    }
    this.#owners = owners;
  }

  /** The index of the first place at or after the hash, an integer in [0, 2^32). The ring must not be empty. */
  indexOf(hash: number): number {
    const index = this.#places.indexOf(hash);
    return index === this.#places.size ? 0 : index;
  }

  hashAt(index: number): number {
    return this.#places.hashAt(index);
  }

  targetAt(index: number): Target {
    const places = this.#places;
    let target = this.#targetOf(index);
    const hash = this.hashAt(index);
    // Places with one hash have different orders in different processes. They all belong to the endpoint with the lowest id.
    for (let i = index + 1; i < places.size && places.hashAt(i) === hash; i++) {
      const other = this.#targetOf(i);
      if (other.endpoint.node.id < target.endpoint.node.id) target = other;
    }
    return target;
  }

  #targetOf(index: number): Target {
    return this.#slots[this.#places.slotAt(index)]!;
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

function createPlaces(owners: readonly Owner[]): RingPlaces {
  const size = owners.reduce((sum, { points }) => sum + points, 0);
  const hashes = new Uint32Array(size);
  const slots = new Int32Array(size);
  let at = 0;
  for (const { target, points, slot } of owners) {
    const { high, low } = hashText(target.endpoint.node.id);
    for (let i = 1; i <= points; i++) {
      hashes[at] = mixHash(high ^ mixHash(low ^ Math.imul(i, 0x9e3779b1)));
      slots[at++] = slot;
    }
  }
  return RingPlaces.from(hashes, slots);
}
