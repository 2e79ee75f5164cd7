import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom } from "@holdfast/testing";
import { sleep, systemClock } from "@holdfast/core";
import { toDescriptor, type Backend } from "./backend.ts";
import { BackendWriter } from "./backend-writer.ts";
import { startConsulBackend } from "./consul-backend.ts";
import { FaultRounds } from "./fault-rounds.ts";
import { startKubernetesBackend } from "./kubernetes-backend.ts";
import { Population } from "./population.ts";
import { ServiceProcess } from "./service-process.ts";
import { ReadDaemon } from "./read-daemon.ts";
import { sampleAtRest, settle } from "./settle.ts";
import type { SoakPlan, SoakResult, TimedSample } from "./soak-result.ts";

export interface SoakOptions extends SoakPlan {
  /** Receives lines of progress for the user. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a service on real servers whose members change and which fail, and measures the process of the service. Rejects
 * when a server does not start, when the process of the service ends or stops responding, or when the signal aborts. In
 * each case it stops everything that it started.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { onProgress, signal: outer, ...plan } = options;
  const { durationMs, members, churn, seed, pace } = plan;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "holdfast-soak-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const population = new Population(members, createSeededRandom(seed));
  const everywhere = Array.from({ length: population.places }, (_, place) => place);
  const backends: Backend[] = [];
  for (const start of [startKubernetesBackend, startConsulBackend]) {
    const backend = stack.use(await start(population));
    outer.throwIfAborted();
    await backend.write(everywhere);
    onProgress(`${backend.version} has ${population.size} members`);
    backends.push(backend);
  }
  const service = stack.use(new ServiceProcess());
  // All work on the servers must end before the servers are stopped.
  const end = new AbortController();
  stack.defer(() => end.abort());
  const signal = AbortSignal.any([outer, end.signal]);
  // The first is the primary, the second is a warm standby.
  const providers = backends.map((backend, index) => toDescriptor(backend, backends.length - index));
  await service.start({ providers, health: pace.health, folder });
  const readDaemon = stack.use(await ReadDaemon.start({ providers, health: pace.health, folder }));
  const unsettled = await settle(service, backends, signal);
  if (unsettled.length > 0) throw new Error(`the service did not settle: ${unsettled.join("; ")}`);
  const before = await sampleAtRest(service, signal);

  const startedAt = systemClock.monotonic();
  const writers = backends.map((backend) => new BackendWriter(backend));
  const samples: TimedSample[] = [];
  let changes = 0;

  async function change(until: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(pace.batchMs, { clock: systemClock, signal: until });
      // The number of changes that are due by now, so that the rate stays the same when this process is slow.
      const due = Math.floor(((systemClock.monotonic() - startedAt) / 1_000) * churn * members) - changes;
      const places = new Set(Array.from({ length: due }, () => population.change()));
      changes += due;
      for (const writer of writers) writer.push(places, signal);
    }
  }

  async function sample(until: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(pace.sampleMs, { clock: systemClock, signal: until });
      await service.isolate(true);
      const atMs = systemClock.monotonic() - startedAt;
      const taken = { ...(await service.sample()), atMs };
      samples.push(taken);
      onProgress(lineOf(taken));
    }
  }

  const random = createSeededRandom(seed + 1);
  const onFault = (name: string) => onProgress(`fault: ${name}`);
  const faults = new FaultRounds({ backends, random, pace, onFault });
  await untilFirstEnds([change, sample, (until) => faults.run(durationMs, until)], signal);

  onProgress("no more changes and faults");
  await service.isolate(false);
  await Promise.all(writers.map((writer) => writer.flush(signal)));
  const differences = await settle(service, backends, signal);
  const after = await sampleAtRest(service, signal);
  const readers = await readDaemon.finish(await backends[0]!.list());
  const summary = await service.summary();
  const ending = await service.stop();
  return {
    plan,
    versions: backends.map(({ version }) => version),
    before,
    samples,
    after,
    changes,
    failedWrites: writers.reduce((sum, { failures }) => sum + failures, 0),
    faults: faults.done.counts(),
    summary,
    differences,
    ending,
    readers,
  };
}

/**
 * Runs all of them concurrently until one ends, then aborts the others and waits for them, so that none is still
 * running. Rejects with the signal's reason, or with the first failure.
 */
async function untilFirstEnds(
  tasks: readonly ((until: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const failures: unknown[] = [];
  const run = async (task: (typeof tasks)[number]) => {
    try {
      await task(until);
    } catch (error) {
      if (!until.aborted) failures.push(error);
    } finally {
      over.abort();
    }
  };
  await Promise.all(tasks.map(run));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

function lineOf({ atMs, status, members, heapBytes, descriptors, listeners, loop }: TimedSample): string {
  const heap = `${(heapBytes / 1_048_576).toFixed(1)} MiB`;
  const held = `${descriptors} descriptors, ${listeners.onEmitters + listeners.onSignals} listeners`;
  const delay = `longest turn ${loop.own.max.toFixed(0)} ms, longest timer delay ${loop.late.max.toFixed(0)} ms`;
  return `${(atMs / 1_000).toFixed(0)} s: ${status}, ${members} members, ${heap}, ${held}, ${delay}`;
}
