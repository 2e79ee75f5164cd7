import type { ProviderId } from "@holdfast/core";

/** The adapter whose code is running, and the provider it is running for, if known. */
export interface CodeOrigin {
  /** The adapter's name in the configuration. */
  readonly adapter: string;
  readonly providerId?: ProviderId | undefined;
}
