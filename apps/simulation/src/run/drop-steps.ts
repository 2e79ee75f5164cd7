/**
 * Delta debugging: removes halves of the steps first and single ones last, from the end. `attempt` returns true when the violation is
 * still there without the removed steps.
 */
export async function dropSteps<S>(
  all: readonly S[],
  attempt: (steps: readonly S[]) => Promise<boolean>,
): Promise<void> {
  let best = all;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = best.length; end > 0;) {
      const from = Math.max(end - size, 0);
      const steps = best.toSpliced(from, end - from);
      if (await attempt(steps)) best = steps;
      end = Math.min(from, best.length);
    }
  }
}
