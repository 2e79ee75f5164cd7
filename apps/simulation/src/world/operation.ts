import type { ProviderDescriptor } from "@holdfast/core";

/** A change of the set of providers that was asked for. The registry takes them one at a time, in order. */
export interface Operation {
  readonly what: string;
  /** The whole set it leads to when it is done. */
  readonly effect: (before: readonly ProviderDescriptor[]) => readonly ProviderDescriptor[];
  outcome: "pending" | "done" | "refused";
  error?: unknown;
}
