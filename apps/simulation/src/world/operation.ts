import type { ProviderDescriptor } from "@holdfast/core";

/** A requested change of the set of providers. The registry handles them one at a time, in order. */
export interface Operation {
  readonly what: string;
  /** The whole set after the change. */
  readonly effect: (before: readonly ProviderDescriptor[]) => readonly ProviderDescriptor[];
  outcome: "pending" | "done" | "refused";
  error?: unknown;
}
