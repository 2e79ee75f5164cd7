const BLOCK = 65_536;

/** How many bytes two texts have in common at their beginnings. */
export function commonPrefix(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  // Whole blocks at the speed of memcmp, and then byte by byte.
  while (at + BLOCK <= most && a.compare(b, at, at + BLOCK, at, at + BLOCK) === 0) at += BLOCK;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

/** How many bytes two texts have in common at their ends; `most` at most. */
export function commonSuffix(a: Buffer, b: Buffer, most: number): number {
  const { length: aEnd } = a;
  const { length: bEnd } = b;
  let at = 0;
  while (at + BLOCK <= most && a.compare(b, bEnd - at - BLOCK, bEnd - at, aEnd - at - BLOCK, aEnd - at) === 0)
    at += BLOCK;
  while (at < most && a[aEnd - at - 1] === b[bEnd - at - 1]) at++;
  return at;
}
