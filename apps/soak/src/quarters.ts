import type { TimedSample } from "./soak-result.ts";

export type Quarters = readonly [
  readonly TimedSample[],
  readonly TimedSample[],
  readonly TimedSample[],
  readonly TimedSample[],
];

/** Groups the samples by the quarter of the run in which they were taken. */
export function toQuarters(samples: readonly TimedSample[], durationMs: number): Quarters {
  const quarter = (index: number) =>
    samples.filter(({ atMs }) => Math.min(Math.floor((atMs / durationMs) * 4), 3) === index);
  return [quarter(0), quarter(1), quarter(2), quarter(3)];
}
