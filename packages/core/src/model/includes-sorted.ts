/** True when a list that is sorted by code units contains the text. Binary search. */
export function includesSorted(sorted: readonly string[] | undefined, text: string): boolean {
  if (sorted === undefined) return false;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === text;
}
