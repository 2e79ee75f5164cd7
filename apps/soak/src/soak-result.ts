import type { ReadersReport } from "./readers-report.ts";
import type { Sample, RunSummary } from "./sample.ts";
import type { Ending } from "./service-process.ts";
import type { SoakPace } from "./soak-pace.ts";

/** The parameters of a run. */
export interface SoakPlan {
  readonly durationMs: number;
  readonly members: number;
  /** The share of the members that changes each second, from 0 to 1. */
  readonly churn: number;
  readonly seed: number;
  readonly pace: SoakPace;
}

export interface TimedSample extends Sample {
  /** Milliseconds since the soak began. */
  readonly atMs: number;
}

/** The measurements of a run. */
export interface SoakResult {
  readonly plan: SoakPlan;
  readonly versions: readonly string[];
  /** Taken at rest, before the first change and fault. */
  readonly before: readonly Sample[];
  /** Taken during churn and faults. */
  readonly samples: readonly TimedSample[];
  /** Taken at rest, after the last change and fault. */
  readonly after: readonly Sample[];
  readonly changes: number;
  readonly failedWrites: number;
  /** Counts by the name of the fault. */
  readonly faults: Readonly<Record<string, number>>;
  readonly summary: RunSummary;
  /** The differences between servers, service and consumers at the end; empty when there are none. */
  readonly differences: readonly string[];
  readonly ending: Ending;
  /** The measurements of the daemon, a separate process on the same servers. */
  readonly readers: ReadersReport;
}
