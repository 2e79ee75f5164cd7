import type { ProviderId } from "@holdfast/core";

/** The adapter whose code runs, and the provider it runs for if that is known. */
export interface CodeOrigin {
  /** The adapter's name in the configuration. */
  readonly adapter: string;
  readonly providerId?: ProviderId | undefined;
}
