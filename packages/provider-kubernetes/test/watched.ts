import { createRealTime, WatchRecording, type SuiteTime } from "@holdfast/conformance";
import { isProvisioningError, type ClusterProvider, type ProvisioningError } from "@holdfast/core";

export const time: SuiteTime = createRealTime();
const PATIENCE_MS = 10_000;

export function watch(provider: ClusterProvider): WatchRecording {
  return new WatchRecording({ provider, time, patienceMs: PATIENCE_MS });
}

export function idsOf({ snapshots }: WatchRecording): readonly string[] {
  return Array.from(snapshots.at(-1)?.members ?? [], ({ id }) => id);
}

/** Waits until the last snapshot has exactly these members, in this order. */
export async function waitForMembers(recording: WatchRecording, ...ids: readonly string[]): Promise<void> {
  await recording.waitFor(`the members ${ids.join()}`, () =>
    recording.snapshots.length > 0 && idsOf(recording).join() === ids.join() ? true : undefined,
  );
}

/** Waits for this number of further heartbeats. */
export async function waitForHeartbeats(recording: WatchRecording, times: number): Promise<void> {
  const wanted = countHeartbeats(recording) + times;
  await recording.waitFor("heartbeats", () => (countHeartbeats(recording) >= wanted ? true : undefined));
}

function countHeartbeats({ events }: WatchRecording): number {
  return events.filter(({ type }) => type === "heartbeat").length;
}

export async function failureOf(recording: WatchRecording): Promise<ProvisioningError> {
  await time.until(recording.over, PATIENCE_MS);
  if (recording.outcome.kind === "failed" && isProvisioningError(recording.outcome.error))
    return recording.outcome.error;
  throw new Error(`the watch did not fail: ${recording.describe()}`);
}

/** Returns the error of a probe; undefined when it succeeds. */
export async function probe(provider: ClusterProvider): Promise<unknown> {
  const { signal } = new AbortController();
  return provider.probe({ signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
}
