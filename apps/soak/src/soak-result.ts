import type { ReadersReport } from "./readers-report.ts";
import type { Sample, Story } from "./sample.ts";
import type { Ending } from "./service-process.ts";
import type { SoakPace } from "./soak-pace.ts";

/** What is to be run. */
export interface SoakPlan {
  readonly durationMs: number;
  readonly members: number;
  /** The share of the members that changes each second. */
  readonly churn: number;
  readonly seed: number;
  readonly pace: SoakPace;
}

export interface TimedSample extends Sample {
  /** Milliseconds since the soak began. */
  readonly atMs: number;
}

/** What was seen of it. */
export interface SoakResult {
  readonly plan: SoakPlan;
  readonly versions: readonly string[];
  /** All is well and nothing has changed yet. */
  readonly before: readonly Sample[];
  /** Under churn and faults. */
  readonly samples: readonly TimedSample[];
  /** All is well again. */
  readonly after: readonly Sample[];
  readonly changes: number;
  readonly failedWrites: number;
  /** Name → how often. */
  readonly faults: Readonly<Record<string, number>>;
  readonly story: Story;
  /** What does not agree in the end; empty when all does. */
  readonly differences: readonly string[];
  readonly ending: Ending;
  /** Of a second process, a daemon on the same servers. */
  readonly readers: ReadersReport;
}
