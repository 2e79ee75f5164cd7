import type { ProviderDescriptorInput, ProviderSpec } from "@holdfast/core";
import type { ProvisioningService } from "@holdfast/provisioning";

/** Passes each registered provider to the spec that it was created for. `descriptors` are those of the specs, in the same order. */
export function passRegistered(
  { registry }: ProvisioningService,
  specs: readonly ProviderSpec[],
  descriptors: readonly ProviderDescriptorInput[],
): void {
  for (const [index, { id }] of descriptors.entries()) {
    const provider = registry.get(id)?.provider;
    if (provider !== undefined) specs[index]?.onRegistered?.(provider);
  }
}
