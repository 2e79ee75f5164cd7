import { createSnapshot, ProvisioningError, type Clock, type KnownGood } from "@holdfast/core";
import type { RestoredSnapshot } from "./snapshot-guards.ts";

export interface RestoreOptions {
  readonly known: KnownGood;
  /** How long the snapshot may be served after its provider last confirmed it, in milliseconds. */
  readonly maxAgeMs: number;
}

/** Clocks of machines differ by this much at most. The age of a snapshot that lies further in the future is unknown. */
const MAX_SKEW_MS = 60_000;

/** Throws `STORE_EXPIRED` for a snapshot that is too old, or whose time is too far in the future. */
export function toRestored({ known, maxAgeMs }: RestoreOptions, clock: Clock): RestoredSnapshot {
  const { snapshot, confirmedAt } = known;
  const ageMs = clock.now() - confirmedAt;
  if (!(ageMs >= -MAX_SKEW_MS && ageMs < maxAgeMs)) {
    const when = ageMs < 0 ? "in the future" : `${Math.round(ageMs / 1_000)} s ago`;
    throw new ProvisioningError(
      "STORE_EXPIRED",
      `the last known good snapshot of "${snapshot.providerId}" was confirmed ${when}; it may be at most ${maxAgeMs} ms old`,
      { details: { providerId: snapshot.providerId, ageMs, maxAgeMs } },
    );
  }
  const leftMs = maxAgeMs - Math.max(ageMs, 0);
  return {
    snapshot: createSnapshot({ ...snapshot, retained: undefined }),
    ageMs: Math.max(ageMs, 0),
    expiresAt: clock.monotonic() + leftMs,
  };
}
