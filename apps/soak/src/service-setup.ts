import type { ProviderDescriptorInput } from "@holdfast/core";
import type { HealthOptions } from "@holdfast/provisioning";

/** What the process of the service is told to run. */
export interface ServiceSetup {
  readonly providers: readonly ProviderDescriptorInput[];
  readonly health: HealthOptions;
  /** For its stores; the parent's to remove. */
  readonly folder: string;
}
