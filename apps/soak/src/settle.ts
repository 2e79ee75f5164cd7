import { sleep, systemClock } from "@holdfast/core";
import type { Backend } from "./backend.ts";
import { channelDigestOf, digestOf } from "./member-digest.ts";
import type { Sample, View } from "./sample.ts";
import type { ServiceProcess } from "./service-process.ts";

/** How long the service may take to settle, in milliseconds: in the beginning, and after the last fault. */
const SETTLE_MS = 120_000;
const LOOK_MS = 250;
/**
 * At rest a life check may be under way, and a pool keeps a connection for some seconds: over so many samples at least one
 * shows nothing but what stays.
 */
const REST_SAMPLES = 12;
const REST_MS = 500;

/** Waits until the service shows what the servers list, and all is well; what does not agree when patience is over. */
export async function settle(
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

/** Samples of a service that has settled. */
export async function sampleAtRest(service: ServiceProcess, signal: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (samples.length < REST_SAMPLES) {
    await sleep(REST_MS, { clock: systemClock, signal });
    samples.push(await service.sample());
  }
  return samples;
}

/** The service against the servers themselves, and its consumers against the service. */
async function compare(view: View, backends: readonly Backend[]): Promise<readonly string[]> {
  const lists = await Promise.all(backends.map((backend) => backend.list()));
  const [primary] = backends;
  const truth = lists[0] ?? [];
  const expected: readonly (readonly [what: string, is: unknown, shouldBe: unknown])[] = [
    ["the active provider", view.active, primary?.id],
    ["status", view.status, "ready"],
    ["stale", view.isStale, false],
    ["members kept by a guard", view.retained, 0],
    ["isolated members", view.blocked, 0],
    ...backends.map(({ id }) => [`health of ${id}`, view.health[id], "healthy"] as const),
    ...lists.map((list, i) => [`what ${backends[i]!.id} lists`, digestOf(list), digestOf(truth)] as const),
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
