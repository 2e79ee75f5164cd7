import type { HealthOptions } from "@holdfast/provisioning";
import type { FaultKind } from "./backend.ts";

/** How fast members change and faults follow each other. All durations are milliseconds. */
export interface SoakPace {
  /** The interval between two batches of changes. */
  readonly batchMs: number;
  readonly sampleMs: number;
  /** The length of a fault that causes errors. */
  readonly loudMs: number;
  /** The length of a fault that causes no errors and can be detected only because no data arrives. */
  readonly silentMs: number;
  readonly health: HealthOptions;
}

/** Shorter health timeouts than the defaults, so that faults of some seconds have effects. */
export const SOAK_PACE: SoakPace = {
  batchMs: 500,
  sampleMs: 5_000,
  loudMs: 5_000,
  silentMs: 9_000,
  health: {
    timeoutMs: 6_000,
    maxErrors: 3,
    backoffInitialMs: 250,
    backoffMaxMs: 2_000,
    cooldownMs: 4_000,
  },
};

/** For a run of less than a minute. */
export const QUICK_PACE: SoakPace = {
  batchMs: 250,
  sampleMs: 1_000,
  loudMs: 2_000,
  silentMs: 4_500,
  health: {
    timeoutMs: 3_000,
    maxErrors: 2,
    backoffInitialMs: 100,
    backoffMaxMs: 400,
    cooldownMs: 1_000,
  },
};

export function lengthOf(kind: FaultKind, { loudMs, silentMs }: SoakPace): number {
  return kind === "silence" || kind === "freeze" ? silentMs : loudMs;
}
