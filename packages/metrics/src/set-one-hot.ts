import type { GaugeSeries } from "./topology-series.ts";

/** Sets one series for each possible state: 1 for the current one, 0 for the others. */
export function setOneHot<L extends string, S extends string>(
  gauge: GaugeSeries<L>,
  states: readonly S[],
  current: S,
  labelsOf: (state: S) => Record<L, string>,
): void {
  for (const state of states) gauge.set(labelsOf(state), state === current ? 1 : 0);
}
