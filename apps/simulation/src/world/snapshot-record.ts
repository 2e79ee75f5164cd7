import type { KnownGood, ProviderSnapshot, TopologyState } from "@holdfast/core";

/** A save of the last known good snapshot. */
export interface SaveRecord {
  readonly known: KnownGood;
  /** As the service saw the topology when it asked for the save. */
  readonly state: TopologyState;
  outcome: "pending" | "done" | "failed";
}

/** What a life found on the disk, and what it may make of it. */
export interface LoadRecord {
  readonly known: KnownGood | undefined;
  /** The file was there, and could not be trusted. */
  readonly isDamaged: boolean;
}

/** Marks what the simulated store loads. No backend gives a negative staleness, and everything downstream passes it on. */
const RESTORED = -1;

export function markRestored(known: KnownGood): KnownGood {
  return { ...known, snapshot: { ...known.snapshot, stalenessMs: RESTORED } };
}

/** The snapshot was loaded from the store, and not delivered by a backend. */
export function isRestored(snapshot: Pick<ProviderSnapshot, "stalenessMs"> | undefined): boolean {
  return snapshot?.stalenessMs === RESTORED;
}
