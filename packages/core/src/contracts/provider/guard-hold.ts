import type { ProviderId } from "../../model/provider-id.ts";

/**
 * What keeps members that the active provider does not list, or does not list yet. `last_known_good`: read from disk, until a
 * provider answers. `removal_dwell`: known to the provider that was left, until the new one has proven itself.
 * `mass_removal`: too many would leave at once, until another provider agrees, time is up or an operator accepts it.
 */
export type GuardKind = "last_known_good" | "removal_dwell" | "mass_removal";

/** A guard that holds something at the moment. */
export interface GuardHold {
  readonly guard: GuardKind;
  /** Whose answer is not followed in full; for `last_known_good` whose answer it once was. */
  readonly providerId: ProviderId;
  /** How many members are kept that would otherwise leave. */
  readonly nodes: number;
  /** Wall-clock milliseconds at which it ends at the latest, unless something changes. */
  readonly until: number;
  /** For people; never empty. */
  readonly reason: string;
}
