import type { ProviderDescriptorInput } from "@holdfast/core";
import type { HealthOptions } from "@holdfast/provisioning";

/** The parameters for the process of the service. */
export interface ServiceSetup {
  readonly providers: readonly ProviderDescriptorInput[];
  readonly health: HealthOptions;
  /** The folder for its stores. The parent removes it. */
  readonly folder: string;
}
