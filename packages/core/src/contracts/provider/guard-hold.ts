import type { ProviderId } from "../../model/provider-id.ts";

/**
 * The reason why members are kept that the active provider does not list, or does not list yet. `last_known_good`: read
 * from disk, until a provider delivers. `removal_dwell`: known to the previous provider, until the new one has proven
 * itself. `mass_removal`: too many would be removed at once, until another provider agrees, the time limit passes or an
 * operator accepts it.
 */
export type GuardKind = "last_known_good" | "removal_dwell" | "mass_removal";

/** One current hold of a guard. */
export interface GuardHold {
  readonly guard: GuardKind;
  /**
   * The provider whose snapshot is not followed completely; for `last_known_good` the provider that reported the
   * snapshot originally.
   */
  readonly providerId: ProviderId;
  /** Number of members that are kept and would otherwise be removed. */
  readonly nodes: number;
  /** Wall-clock milliseconds at which the hold ends at the latest, unless something changes. */
  readonly until: number;
  /** A text for people; never empty. */
  readonly reason: string;
}
