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

/** Only what was restored from the disk says so of itself: simulated backends are always healthy when they answer. */
export function isRestored(snapshot: Pick<ProviderSnapshot, "health"> | undefined): boolean {
  return snapshot?.health === "degraded";
}
