/** How many runs a property test is to have: `least`, times `HOLDFAST_FUZZ_RUNS` of the environment where that is set. */
export function fuzzRuns(least: number): number {
  const factor = Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 1);
  return Math.max(1, Math.round(least * (factor > 0 ? factor : 1)));
}
