import { setTimeout as sleep } from "node:timers/promises";
import { ContenderProcess, type Measured } from "./contender-process.ts";
import type { ContenderName } from "./contender.ts";
import type { BenchBackend } from "./bench-backend.ts";

export interface ChangesOptions {
  readonly backend: BenchBackend;
  readonly members: number;
  readonly changes: number;
  /** The number of changes before the measured ones: code is compiled and connections are opened during them. */
  readonly warmUp: number;
  /** The mean time between two changes, in milliseconds. Each time is random, up to twice this value. */
  readonly gapMs: number;
}

export interface Changes {
  /** The time from sending the change to the backend until the contender has it, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** The resources used for the measured changes, without the warm-up. */
  readonly measured: Measured;
}

/** Increases over all runs, so that an earlier change cannot be taken for a later one. */
let port = 1_000;

/** Runs one contender alone and makes one change after the other. */
export async function followChanges(name: ContenderName, options: ChangesOptions): Promise<Changes> {
  const { backend, members, changes, warmUp, gapMs } = options;
  await using contender = new ContenderProcess(name, backend.target);
  await contender.seen((seen) => seen.members === members);
  const latenciesMs: number[] = [];
  for (let i = -warmUp; i < changes; i++) {
    if (i === 0) await contender.measure();
    port = port === 60_000 ? 1_001 : port + 1;
    const wanted = port;
    const sentAt = process.hrtime.bigint();
    const seen = contender.seen((observation) => observation.port === wanted);
    await backend.mark(wanted);
    const latencyMs = Number((await seen) - sentAt) / 1e6;
    if (i >= 0) latenciesMs.push(latencyMs);
    await sleep(gapMs * 2 * Math.random());
  }
  return { latenciesMs, measured: await contender.measure() };
}
