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
  /** One line for people. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a service on real servers whose members change and which fail, and measures its process. Rejects when the servers do
 * not start, the service's process ends or is stuck, or the signal aborts; whatever it started is ended in any case.
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
  // Before the servers go, nobody may want anything of them any more.
  const end = new AbortController();
  stack.defer(() => end.abort());
  const signal = AbortSignal.any([outer, end.signal]);
  // The first is the primary, the second a warm stand-by.
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
      // What is due by now, so that a slow turn of this process changes no less.
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

  onProgress("quiet");
  await service.isolate(false);
  await Promise.all(writers.map((writer) => writer.flush(signal)));
  const differences = await settle(service, backends, signal);
  const after = await sampleAtRest(service, signal);
  const readers = await readDaemon.finish(await backends[0]!.list());
  const story = await service.story();
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
    story,
    differences,
    ending,
    readers,
  };
}

/**
 * Runs all at once until one is done, then aborts the others and waits for them, so that nobody is in the middle of anything.
 * Rejects with the signal's reason, or with what failed first.
 */
async function untilFirstEnds(
  works: readonly ((until: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const failures: unknown[] = [];
  const run = async (work: (typeof works)[number]) => {
    try {
      await work(until);
    } catch (error) {
      if (!until.aborted) failures.push(error);
    } finally {
      over.abort();
    }
  };
  await Promise.all(works.map(run));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

function lineOf({ atMs, status, members, heapBytes, descriptors, listeners, loop }: TimedSample): string {
  const heap = `${(heapBytes / 1_048_576).toFixed(1)} MiB`;
  const held = `${descriptors} descriptors, ${listeners.onEmitters + listeners.onSignals} listeners`;
  const delay = `loop ran ${loop.own.max.toFixed(0)} ms, was late ${loop.late.max.toFixed(0)} ms`;
  return `${(atMs / 1_000).toFixed(0)} s: ${status}, ${members} members, ${heap}, ${held}, ${delay}`;
}
