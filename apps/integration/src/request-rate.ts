/** Requests per second. */
export interface RequestRate {
  readonly mean: number;
  /** The maximum in any period of one second. */
  readonly peak: number;
}

/** Returns the rate between two times. `times` are the times of the requests in milliseconds, ascending. */
export function rateOf(times: readonly number[], fromMs: number, toMs: number): RequestRate {
  const within = times.filter((at) => at >= fromMs && at < toMs);
  let peak = 0;
  let first = 0;
  for (const [last, at] of within.entries()) {
    while (at - within[first]! >= 1_000) first++;
    peak = Math.max(peak, last - first + 1);
  }
  return { mean: (within.length * 1_000) / (toMs - fromMs), peak };
}
