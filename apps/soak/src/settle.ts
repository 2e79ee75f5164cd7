import { sleep, systemClock } from "@holdfast/core";
import type { Backend } from "./backend.ts";
import { channelDigestOf, digestOf } from "./member-digest.ts";
import type { Sample, View } from "./sample.ts";
import type { ServiceProcess } from "./service-process.ts";

/** The longest time to settle, in milliseconds: at the beginning, and after the last fault. */
const SETTLE_MS = 120_000;
const POLL_MS = 250;
/**
 * At rest, a health check may be running, and a pool keeps a connection for some seconds. With this many samples, at
 * least one shows only what remains permanently.
 */
const REST_SAMPLES = 12;
const REST_MS = 500;

/**
 * Waits until the service and its consumers agree with the servers. Returns the differences that remain after two
 * minutes; empty when there are none.
 */
export async function settle(
  service: ServiceProcess,
  backends: readonly Backend[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const startedAt = systemClock.monotonic();
  for (;;) {
    const differences = await compare(await service.view(), backends);
    if (differences.length === 0 || systemClock.monotonic() - startedAt > SETTLE_MS) return differences;
    await sleep(POLL_MS, { clock: systemClock, signal });
  }
}

/** Takes samples of a service that has settled. */
export async function sampleAtRest(service: ServiceProcess, signal: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (samples.length < REST_SAMPLES) {
    await sleep(REST_MS, { clock: systemClock, signal });
    samples.push(await service.sample());
  }
  return samples;
}

/** Compares the service with the servers, and its consumers with the service. Returns the differences. */
async function compare(view: View, backends: readonly Backend[]): Promise<readonly string[]> {
  const lists = await Promise.all(backends.map((backend) => backend.list()));
  const [primary] = backends;
  const listed = lists[0] ?? [];
  const expected: readonly (readonly [what: string, is: unknown, shouldBe: unknown])[] = [
    ["the active provider", view.active, primary?.id],
    ["status", view.status, "ready"],
    ["stale", view.isStale, false],
    ["members retained by a guard", view.retained, 0],
    ["isolated members", view.blocked, 0],
    ...backends.map(({ id }) => [`health of ${id}`, view.health[id], "healthy"] as const),
    ...lists.map(
      (list, i) => [`the members that ${backends[i]!.id} lists`, digestOf(list), digestOf(listed)] as const,
    ),
    ["members", view.members, digestOf(listed)],
    ["placement's members", view.ports.members, digestOf(listed)],
    ["the tick of placement", view.ports.placementSeqNo, view.snapshotSeqNo],
    ["the tick of the leases", view.ports.leasesSeqNo, view.snapshotSeqNo],
    ["the channels of remoting", view.ports.channels, channelDigestOf(listed)],
  ];
  return expected.flatMap(([what, is, shouldBe]) =>
    is === shouldBe ? [] : [`${what}: ${String(is)} instead of ${String(shouldBe)}`],
  );
}
