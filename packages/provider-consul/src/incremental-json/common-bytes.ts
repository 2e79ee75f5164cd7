/**
 * The block sizes of the comparison, in decreasing order. Blocks are compared at the speed of memcmp, and the last
 * bytes one by one.
 */
const STEPS: readonly number[] = [65_536, 1_024, 32];

/** Returns the number of bytes that are equal at the beginning of two texts. */
export function commonPrefix(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  for (const step of STEPS)
    while (at + step <= most && a.compare(b, at, at + step, at, at + step) === 0) at += step;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

/** Returns the number of bytes, up to `most`, that are equal at the end of two texts. */
export function commonSuffix(a: Buffer, b: Buffer, most: number): number {
  let aEnd = a.length;
  let bEnd = b.length;
  const aLeast = a.length - most;
  for (const step of STEPS) {
    while (aEnd - step >= aLeast && a.compare(b, bEnd - step, bEnd, aEnd - step, aEnd) === 0) {
      aEnd -= step;
      bEnd -= step;
    }
  }
  while (aEnd > aLeast && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  return a.length - aEnd;
}
