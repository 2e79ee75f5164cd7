import { throwIfAborted, toAbortError, whenAborted } from "../time/abort.ts";
import type { ProviderSnapshot } from "../model/provider-snapshot.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import type { TopologySource } from "../contracts/log/topology-source.ts";
import type { TopologyState } from "../contracts/log/topology-state.ts";
import type { ReadOptions } from "../contracts/log/topology-reader.ts";
import { refusalOf } from "./topology-refusal.ts";

/** Like `TopologyReader.waitFor`, for any source. */
export async function waitForState(
  source: TopologySource,
  predicate: (state: TopologyState) => boolean,
  { signal }: ReadOptions = {},
): Promise<TopologyState> {
  throwIfAborted(signal);
  const { promise, resolve, reject } = Promise.withResolvers<TopologyState>();
  const check = () => {
    try {
      const { state } = source;
      if (predicate(state)) resolve(state);
      else if (state.status === "stopped") {
        reject(new ProvisioningError("LIFECYCLE_STOPPED", "the topology stopped before the awaited state"));
      }
    } catch (error) {
      reject(error);
    }
  };
  using _ = whenAborted(signal, () => reject(toAbortError(signal!)));
  const unsubscribe = source.onEvent(() => {
    check();
    // Some changes have no separate event, such as the provider of equal content. They are applied after the last event
    // of the same moment.
    queueMicrotask(check);
  });
  try {
    check();
    return await promise;
  } finally {
    unsubscribe();
  }
}

/** Like `TopologyReader.ready`, for any source. */
export async function waitUntilReady(
  source: TopologySource,
  options: ReadOptions = {},
): Promise<ProviderSnapshot> {
  const { snapshot } = await waitForState(source, isUsable, options);
  return snapshot!;
}

function isUsable(state: TopologyState): boolean {
  return state.snapshot !== undefined && refusalOf(state) === undefined;
}
