import { createRealTime, WatchRecording } from "@holdfast/conformance";
import { createSeededRandom } from "@holdfast/testing";
import {
  isProvisioningError,
  systemClock,
  type AnyProviderAdapter,
  type ClusterProvider,
  type ProvisioningError,
} from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { kubernetes } from "@holdfast/provider-kubernetes";

export const time: ReturnType<typeof createRealTime> = createRealTime({ slackMs: 5_000 });

const adapters: Readonly<Record<"consul" | "kubernetes", AnyProviderAdapter>> = {
  consul: consul.createAdapter(),
  kubernetes: kubernetes.createAdapter(),
};

/** Creates a provider as the registry does. The minimum heartbeat interval of a Kubernetes watch is two seconds. */
export function createRealProvider(
  kind: "consul" | "kubernetes",
  params: Readonly<Record<string, unknown>>,
  heartbeatMs = 2_500,
): ClusterProvider {
  const adapter = adapters[kind];
  return adapter.create(
    { id: kind, kind, priority: 1, params: adapter.params.parse(params) },
    { clock: systemClock, random: createSeededRandom(1), heartbeatMs },
  );
}

export function watch(provider: ClusterProvider): WatchRecording {
  return new WatchRecording({ provider, time, patienceMs: 45_000 });
}

/** Waits until the members are exactly these. */
export async function shows(recording: WatchRecording, ...ids: readonly string[]): Promise<void> {
  const wanted = ids.toSorted().join();
  await recording.waitFor(`the members ${wanted}`, () => {
    const members = recording.snapshots.at(-1)?.members;
    return members !== undefined && Array.from(members, ({ id }) => id).join() === wanted ? true : undefined;
  });
}

export async function failureOf(recording: WatchRecording): Promise<ProvisioningError> {
  await time.until(recording.over, 45_000);
  const { outcome } = recording;
  if (outcome.kind === "failed" && isProvisioningError(outcome.error)) return outcome.error;
  throw new Error(`the watch did not fail: ${recording.describe()}`);
}

/** Returns the error of a probe; `undefined` when it resolves. */
export async function probe(provider: ClusterProvider): Promise<unknown> {
  const { signal } = new AbortController();
  return provider.probe({ signal }).catch((error: unknown) => error);
}
