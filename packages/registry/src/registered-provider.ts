import type { ClusterProvider, ProviderDescriptor } from "@holdfast/core";

/** One provider of the set in force. Immutable; an unchanged provider is the same object in the next set. */
export interface RegisteredProvider {
  /** The descriptor as submitted and stored. `disabled` holds the reason when the provider is disabled. */
  readonly descriptor: ProviderDescriptor;
  /** The live instance, owned by the registry. Absent when disabled. */
  readonly provider?: ClusterProvider | undefined;
}
