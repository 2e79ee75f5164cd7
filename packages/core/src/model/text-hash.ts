/** A hash of 64 bits in two lanes of 32 bits, as signed integers. */
export interface TextHash {
  readonly high: number;
  readonly low: number;
}

/** Hashes a text by its UTF-16 units. The same text gives the same hash in every process. Not cryptographic. */
export function hashText(text: string): TextHash {
  let high = 0xdeadbeef | 0;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  return { high: mixHash(high ^ (low >>> 15)), low: mixHash(low ^ (high >>> 13)) };
}

/** Combines two hashes to a number in [0, 2^53). The order of the two matters. */
export function combineHashes(a: TextHash, b: TextHash): number {
  const high = mixHash(a.high ^ Math.imul(b.high, 0x85ebca6b));
  const low = mixHash(a.low ^ Math.imul(b.low, 0xc2b2ae35) ^ high);
  return (mixHash(high ^ low) >>> 11) * 0x1_0000_0000 + (low >>> 0);
}

/** The finish of murmur3: every bit of the word affects every bit of the result. */
export function mixHash(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
