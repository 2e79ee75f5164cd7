/**
 * The number of runs of a property test: `least`, multiplied by the environment variable `HOLDFAST_FUZZ_RUNS` if it is
 * set.
 */
export function fuzzRuns(least: number): number {
  const factor = Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 1);
  return Math.max(1, Math.round(least * (factor > 0 ? factor : 1)));
}
