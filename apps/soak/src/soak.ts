import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom } from "@holdfast/conformance";
import { sleep, systemClock } from "@holdfast/core";
import { toDescriptor, type Backend } from "./backend.ts";
import { BackendWriter } from "./backend-writer.ts";
import { startConsulBackend } from "./consul-backend.ts";
import { FaultRounds } from "./fault-rounds.ts";
import { startKubernetesBackend } from "./kubernetes-backend.ts";
import { channelDigestOf, digestOf } from "./member-digest.ts";
import { Population } from "./population.ts";
import type { Sample, Story, View } from "./sample.ts";
import { ServiceProcess, type Ending } from "./service-process.ts";
import type { SoakPace } from "./soak-pace.ts";

export interface SoakOptions {
  readonly durationMs: number;
  readonly members: number;
  /** The share of the members that changes each second. */
  readonly churn: number;
  readonly seed: number;
  readonly pace: SoakPace;
  /** One line for people. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface TimedSample extends Sample {
  /** Milliseconds since the soak began. */
  readonly atMs: number;
}

export interface SoakResult {
  readonly options: Pick<SoakOptions, "durationMs" | "members" | "churn" | "seed" | "pace">;
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
}

/** How long the service may take to settle, in milliseconds: in the beginning, and after the last fault. */
const SETTLE_MS = 120_000;
const LOOK_MS = 250;
/** At rest a life check may be under way; of so many samples at least one shows nothing but what stays. */
const REST_SAMPLES = 8;

/**
 * Runs a service on real servers whose members change and which fail, and measures its process. Rejects when the servers do
 * not start, the service's process ends or is stuck, or the signal aborts; whatever it started is ended in any case.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { durationMs, members, churn, seed, pace, onProgress, signal } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "holdfast-soak-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const population = new Population(members, createSeededRandom(seed));
  const everywhere = Array.from({ length: population.places }, (_, place) => place);
  const backends: Backend[] = [];
  for (const start of [startKubernetesBackend, startConsulBackend]) {
    const backend = stack.use(await start(population));
    signal.throwIfAborted();
    await backend.write(everywhere);
    onProgress(`${backend.version} has ${population.size} members`);
    backends.push(backend);
  }
  const service = stack.use(new ServiceProcess());
  // The first is the primary, the second a warm stand-by.
  const providers = backends.map((backend, index) => toDescriptor(backend, backends.length - index));
  await service.start({ providers, health: pace.health, folder });
  const unsettled = await settle(service, backends, signal);
  if (unsettled.length > 0) throw new Error(`the service did not settle: ${unsettled.join("; ")}`);
  const before = await sampleAtRest(service, signal);
  const startedAt = systemClock.monotonic();

  const faults = new FaultRounds({
    backends,
    random: createSeededRandom(seed + 1),
    pace,
    onFault: (name) => onProgress(`fault: ${name}`),
  });
  const writers = backends.map((backend) => new BackendWriter(backend));
  const samples: TimedSample[] = [];
  let changes = 0;

  async function change(until: AbortSignal): Promise<void> {
    // What is due by now, so that a slow turn of this process changes no less.
    for (;;) {
      await sleep(pace.batchMs, { clock: systemClock, signal: until });
      const due = Math.floor(((systemClock.monotonic() - startedAt) / 1_000) * churn * members) - changes;
      const places = new Set(Array.from({ length: due }, () => population.change()));
      changes += due;
      for (const writer of writers) writer.push(places, signal);
    }
  }

  async function sample(until: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(pace.sampleMs, { clock: systemClock, signal: until });
      const atMs = systemClock.monotonic() - startedAt;
      const taken = { ...(await service.sample()), atMs };
      samples.push(taken);
      onProgress(lineOf(taken));
    }
  }

  const over = new AbortController();
  stack.defer(() => over.abort());
  const until = AbortSignal.any([signal, over.signal]);
  const inTheBackground = [change(until), sample(until)].map((work) =>
    work.catch((error: unknown) => {
      if (until.aborted) return;
      over.abort(error);
      throw error;
    }),
  );
  await Promise.all([faults.run(durationMs, until).finally(() => over.abort()), ...inTheBackground]);
  signal.throwIfAborted();

  onProgress("quiet");
  await Promise.all(writers.map((writer) => writer.flush(signal)));
  const differences = await settle(service, backends, signal);
  const after = await sampleAtRest(service, signal);
  const story = await service.story();
  const ending = await service.stop();
  return {
    options: { durationMs, members, churn, seed, pace },
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
  };
}

async function sampleAtRest(service: ServiceProcess, signal: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (samples.length < REST_SAMPLES) {
    await sleep(LOOK_MS, { clock: systemClock, signal });
    samples.push(await service.sample());
  }
  return samples;
}

/** Waits until all agree; what still does not when patience is over. */
async function settle(
  service: ServiceProcess,
  backends: readonly Backend[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const startedAt = systemClock.monotonic();
  for (;;) {
    const differences = await compare(await service.view(), backends);
    if (differences.length === 0 || systemClock.monotonic() - startedAt > SETTLE_MS) return differences;
    await sleep(LOOK_MS, { clock: systemClock, signal });
  }
}

/** The service against the servers themselves, and its consumers against the service. */
async function compare(view: View, backends: readonly Backend[]): Promise<readonly string[]> {
  const [first] = backends;
  const listed = new Map(
    await Promise.all(backends.map(async (backend) => [backend.id, await backend.list()] as const)),
  );
  const truth = listed.get(first!.id) ?? [];
  const expected: readonly (readonly [what: string, is: unknown, shouldBe: unknown])[] = [
    ["the active provider", view.active, first?.id],
    ["status", view.status, "ready"],
    ["stale", view.isStale, false],
    ["members kept by a guard", view.retained, 0],
    ...backends.map(({ id }) => [`health of ${id}`, view.health[id], "healthy"] as const),
    ...backends.map(({ id }) => [`what ${id} lists`, digestOf(listed.get(id)!), digestOf(truth)] as const),
    ["members", view.members, digestOf(truth)],
    ["placement's members", view.ports.members, digestOf(truth)],
    ["placement's tick", view.ports.placementSeqNo, view.snapshotSeqNo],
    ["the tick of the leases", view.ports.leasesSeqNo, view.snapshotSeqNo],
    ["remoting's channels", view.ports.channels, channelDigestOf(truth)],
  ];
  return expected.flatMap(([what, is, shouldBe]) =>
    is === shouldBe ? [] : [`${what}: ${String(is)} instead of ${String(shouldBe)}`],
  );
}

function lineOf({ atMs, status, members, heapBytes, descriptors, listeners, loop }: TimedSample): string {
  const heap = `${(heapBytes / 1_048_576).toFixed(1)} MiB`;
  const held = `${descriptors} descriptors, ${listeners.onEmitters + listeners.onSignals} listeners`;
  const delay = `loop ran ${loop.own.max.toFixed(0)} ms, was late ${loop.late.max.toFixed(0)} ms`;
  return `${(atMs / 1_000).toFixed(0)} s: ${status}, ${members} members, ${heap}, ${held}, ${delay}`;
}
