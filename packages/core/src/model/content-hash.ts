import type { ClusterNode, NodeId } from "./cluster-node.ts";

/**
 * Identifies content: equal content has an equal hash, whatever its order. 16 hexadecimal digits; not cryptographic.
 */
export type SnapshotHash = string;

/**
 * A sum of 64-bit hashes in two 32-bit lanes. Addition is commutative, so the order of the parts does not matter, and a
 * part can be subtracted again: one changed node in 100,000 costs two node hashes.
 */
export interface ContentSum {
  readonly high: number;
  readonly low: number;
}

export const EMPTY_SUM: ContentSum = Object.freeze({ high: 0, low: 0 });

export function addSums(a: ContentSum, b: ContentSum): ContentSum {
  return { high: (a.high + b.high) | 0, low: (a.low + b.low) | 0 };
}

export function toSnapshotHash(sum: ContentSum): SnapshotHash {
  return toHex(sum.high) + toHex(sum.low);
}

// Field numbers make the same value count differently in different fields.
const FIELD = { blocked: 1, id: 2, host: 3, port: 4, zone: 5, weight: 6, tag: 7, key: 8, value: 9 };

/** The hash that one node adds to a sum. Tags are already sorted; metadata is summed, so its order does not matter. */
export function hashNode(node: ClusterNode): ContentSum {
  const hash = new TextHash();
  hash.text(FIELD.id, node.id);
  hash.text(FIELD.host, node.host);
  hash.word(FIELD.port, node.port);
  if (node.zone !== undefined) hash.text(FIELD.zone, node.zone);
  if (node.weight !== undefined) hash.text(FIELD.weight, String(node.weight));
  for (const tag of node.tags) hash.text(FIELD.tag, tag);
  const { metadata } = node;
  const pair = new TextHash();
  let pairsHigh = 0;
  let pairsLow = 0;
  for (const key in metadata) {
    pair.restart();
    pair.text(FIELD.key, key);
    pair.text(FIELD.value, metadata[key]!);
    const sum = pair.finish();
    pairsHigh = (pairsHigh + sum.high) | 0;
    pairsLow = (pairsLow + sum.low) | 0;
  }
  hash.word(FIELD.key, pairsHigh);
  hash.word(FIELD.value, pairsLow);
  return hash.finish();
}

/** The hash that one blocked node adds to a sum. */
export function hashBlocked(id: NodeId): ContentSum {
  const hash = new TextHash();
  hash.text(FIELD.blocked, id);
  return hash.finish();
}

const SEED = { high: 0x9747b28c | 0, low: 0x2f0b4c47 };

/** Multiplies, xors and rotates UTF-16 units in two lanes, with a murmur3 finish (its `fmix32` constants). */
class TextHash {
  #high = SEED.high;
  #low = SEED.low;

  restart(): void {
    this.#high = SEED.high;
    this.#low = SEED.low;
  }

  text(field: number, text: string): void {
    let high = this.#high ^ field;
    let low = this.#low ^ field;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      high = Math.imul(high ^ unit, 0x9e3779b1);
      high = (high << 13) | (high >>> 19);
      low = Math.imul(low ^ unit, 0x85ebca77);
      low = (low << 11) | (low >>> 21);
    }
    this.#high = high;
    this.#low = low;
    this.word(field, text.length);
  }

  word(field: number, word: number): void {
    const high = Math.imul(this.#high ^ word, 0xcc9e2d51) + field;
    this.#high = (high << 15) | (high >>> 17);
    const low = Math.imul(this.#low ^ word, 0x1b873593) + field;
    this.#low = (low << 17) | (low >>> 15);
  }

  finish(): ContentSum {
    const high = mix(this.#high ^ Math.imul(this.#low, 0x9e3779b1));
    const low = mix(this.#low ^ Math.imul(high, 0x85ebca77));
    return { high: (high + low) | 0, low };
  }
}

function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function toHex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
