import type { CallCounts } from "./call-window.ts";
import type { EjectionSettings } from "./ejection-options.ts";

/** Why a member was ejected. */
export interface EjectionCause {
  readonly rule: "consecutive_failures" | "failure_share" | "latency" | "probe_failed";
  /** Text for people; never empty. */
  readonly text: string;
}

/** Decides whether the calls of a member are a reason to eject it. Pure. */
export function findFailureCause(
  consecutiveFailures: number,
  { calls, failures }: Pick<CallCounts, "calls" | "failures">,
  settings: Pick<EjectionSettings, "consecutiveFailures" | "failureShare" | "windowMs">,
): EjectionCause | undefined {
  if (consecutiveFailures >= settings.consecutiveFailures) {
    return { rule: "consecutive_failures", text: `${consecutiveFailures} calls in a row failed` };
  }
  const { failureShare, windowMs } = settings;
  if (failureShare === undefined || calls < failureShare.minCalls) return undefined;
  if (failures === 0 || failures < failureShare.share * calls) return undefined;
  return { rule: "failure_share", text: `${failures} of ${calls} calls failed within ${windowMs} ms` };
}

export interface LatencySample {
  readonly meanMs: number;
  readonly timed: number;
}

/** Comparing needs at least this many members with enough calls. */
const MIN_MEMBERS = 3;

/** Finds the samples that are much slower than the median of all, the slowest first, and says why. Pure. */
export function findSlow<T extends LatencySample>(
  samples: readonly T[],
  { factor, minExcessMs, minCalls }: NonNullable<EjectionSettings["latency"]>,
): readonly (readonly [T, EjectionCause])[] {
  const known = samples.filter(({ timed }) => timed >= minCalls).sort((a, b) => b.meanMs - a.meanMs);
  if (known.length < MIN_MEMBERS) return [];
  const medianMs = known[Math.floor(known.length / 2)]!.meanMs;
  return known
    .filter(({ meanMs }) => meanMs > medianMs * factor && meanMs >= medianMs + minExcessMs)
    .map((sample) => {
      const text = `its mean latency is ${toMs(sample.meanMs)} ms, and the median is ${toMs(medianMs)} ms`;
      return [sample, { rule: "latency", text }] as const;
    });
}

function toMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 1 : 0);
}
