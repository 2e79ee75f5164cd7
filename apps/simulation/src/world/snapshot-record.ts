import type { KnownGood, ProviderSnapshot, TopologyState } from "@holdfast/core";

/** A save of the last known good snapshot. */
export interface SaveRecord {
  readonly known: KnownGood;
  /** The state of the topology when the service requested the save. */
  readonly state: TopologyState;
  outcome: "pending" | "done" | "failed";
}

/** The result of a load by a life. */
export interface LoadRecord {
  readonly known: KnownGood | undefined;
  /** True when the file existed but was damaged. */
  readonly isDamaged: boolean;
}

/**
 * Marks snapshots that the simulated store loads. No backend reports a negative staleness, and all later stages pass it
 * on.
 */
const RESTORED = -1;

export function markRestored(known: KnownGood): KnownGood {
  return { ...known, snapshot: { ...known.snapshot, stalenessMs: RESTORED } };
}

/** True when the snapshot was loaded from the store and not delivered by a backend. */
export function isRestored(snapshot: Pick<ProviderSnapshot, "stalenessMs"> | undefined): boolean {
  return snapshot?.stalenessMs === RESTORED;
}
