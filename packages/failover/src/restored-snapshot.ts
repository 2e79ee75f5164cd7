import { createSnapshot, ProvisioningError, type Clock, type KnownGood } from "@holdfast/core";
import type { RestoredSnapshot } from "./snapshot-guards.ts";

export interface RestoreOptions {
  readonly known: KnownGood;
  /** How long after its provider confirmed it last it may be served, in milliseconds. */
  readonly maxAgeMs: number;
}

/** Clocks of machines differ; what lies further in the future than this has no age that anybody could know. */
const MAX_SKEW_MS = 60_000;

/** Throws `STORE_EXPIRED` for what is too old to be served. */
export function toRestored({ known, maxAgeMs }: RestoreOptions, clock: Clock): RestoredSnapshot {
  const { snapshot, confirmedAt } = known;
  const ageMs = clock.now() - confirmedAt;
  if (!(ageMs >= -MAX_SKEW_MS && ageMs < maxAgeMs)) {
    const when = ageMs < 0 ? "in the future" : `${Math.round(ageMs / 1_000)} s ago`;
    throw new ProvisioningError(
      "STORE_EXPIRED",
      `the last known good snapshot of "${snapshot.providerId}" was confirmed ${when}; it may be ${maxAgeMs} ms old`,
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
