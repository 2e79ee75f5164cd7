import type { ClusterProvider, ProviderDescriptor } from "@holdfast/core";

/** One provider of the set in force. Immutable; an unchanged provider is the same object in the next set. */
export interface RegisteredProvider {
  /** As submitted and stored; `disabled` says why when it is. */
  readonly descriptor: ProviderDescriptor;
  /** The live instance, owned by the registry. Absent when disabled. */
  readonly provider?: ClusterProvider | undefined;
}
