import { setTimeout as sleep } from "node:timers/promises";
import { ContenderProcess, type Measured } from "./contender-process.ts";
import type { ContenderName } from "./contender.ts";
import type { Scenery } from "./scenery.ts";

export interface ChangesOptions {
  readonly scenery: Scenery;
  readonly members: number;
  readonly changes: number;
  /** Changes before those, which are not counted: code gets hot, connections are made. */
  readonly warmUp: number;
  /** Milliseconds between two changes, at random up to twice that. */
  readonly gapMs: number;
}

export interface Changes {
  /** From the moment the change is sent to the backend until the contender has it, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** Of the changes alone. */
  readonly measured: Measured;
}

/** Counts up over all runs, so that no sighting can be of an earlier change. */
let port = 1_000;

/** One contender alone, and one change after the other. */
export async function followChanges(name: ContenderName, options: ChangesOptions): Promise<Changes> {
  const { scenery, members, changes, warmUp, gapMs } = options;
  await using contender = new ContenderProcess(name, scenery.target);
  await contender.seen((seen) => seen.members === members);
  const latenciesMs: number[] = [];
  for (let i = -warmUp; i < changes; i++) {
    if (i === 0) await contender.measure();
    port = port === 60_000 ? 1_001 : port + 1;
    const wanted = port;
    const sentAt = process.hrtime.bigint();
    const seen = contender.seen((sighting) => sighting.port === wanted);
    await scenery.mark(wanted);
    const latencyMs = Number((await seen) - sentAt) / 1e6;
    if (i >= 0) latenciesMs.push(latencyMs);
    await sleep(gapMs * 2 * Math.random());
  }
  return { latenciesMs, measured: await contender.measure() };
}
