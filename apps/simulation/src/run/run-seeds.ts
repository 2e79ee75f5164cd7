import { availableParallelism } from "node:os";
import { systemClock } from "@holdfast/core";
import type { WorldKind } from "./any-script.ts";
import type { RunOutcome } from "./run-script.ts";
import { runTask } from "./run-task.ts";

export interface RunSeedsOptions {
  /** @defaultValue the service */
  readonly world?: WorldKind | undefined;
  readonly first: number;
  readonly count: number;
  readonly mutant?: string | undefined;
  /** True: after a failure, no further seeds are started. @defaultValue false */
  readonly stopsAtFailure?: boolean | undefined;
  /** Number of worker threads. @defaultValue one for each core */
  readonly workers?: number | undefined;
}

export interface SeedsReport {
  readonly seeds: number;
  readonly virtualMs: number;
  readonly events: number;
  /** Real time, in milliseconds. */
  readonly tookMs: number;
  /** The runs with a violation, by seed. */
  readonly failures: readonly RunOutcome[];
}

/** Runs the scripts of many seeds on all cores. */
export async function runSeeds(options: RunSeedsOptions): Promise<SeedsReport> {
  const { world = "service", first, count, mutant, stopsAtFailure = false } = options;
  const { workers = availableParallelism() } = options;
  const startedAt = systemClock.monotonic();
  const taken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const failures: RunOutcome[] = [];
  let seeds = 0;
  let virtualMs = 0;
  let events = 0;
  const task = { kind: "seeds", world, first, count, taken, stopsAtFailure, mutant } as const;
  const runs = Array.from({ length: Math.min(workers, count) }, () =>
    runTask(task, (message) => {
      if (message.kind !== "outcome") return;
      const { outcome } = message;
      seeds++;
      virtualMs += outcome.virtualMs;
      events += outcome.events;
      if (outcome.violation !== undefined) failures.push(outcome);
    }),
  );
  await Promise.all(runs);
  failures.sort((a, b) => a.seed - b.seed);
  return { seeds, virtualMs, events, tookMs: systemClock.monotonic() - startedAt, failures };
}
