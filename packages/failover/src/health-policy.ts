import { ProvisioningError } from "@holdfast/core";

/** How health is judged and when to switch. All durations are milliseconds. */
export interface HealthPolicy {
  /** A provider that sends nothing for longer than this is unreachable. */
  readonly timeoutMs: number;
  /** A provider is unreachable after this many consecutive failures. */
  readonly maxErrors: number;
  /** The first retry waits up to this long (full jitter). */
  readonly backoffInitialMs: number;
  /** No retry waits longer than this. */
  readonly backoffMaxMs: number;
  /** How long a provider must be healthy before it is trusted again; also the minimum time between two switches. */
  readonly cooldownMs: number;
  /** A snapshot that is older than this when it arrives is late. */
  readonly lateSnapshotMs: number;
  /** `warm`: standbys are watched all the time, so a switch needs no round trip. `cold`: standbys are watched only when needed. */
  readonly standby: "warm" | "cold";
}

/** Options left out have the values of `DEFAULT_HEALTH_POLICY`. */
export type HealthOptions = { readonly [K in keyof HealthPolicy]?: HealthPolicy[K] | undefined };

export const DEFAULT_HEALTH_POLICY: HealthPolicy = Object.freeze({
  timeoutMs: 15_000,
  maxErrors: 3,
  backoffInitialMs: 2_000,
  backoffMaxMs: 30_000,
  cooldownMs: 10_000,
  lateSnapshotMs: 5_000,
  standby: "warm",
});

/** Fills in the defaults. Throws `VALIDATION_MALFORMED` for a duration or count that is not a positive number. */
export function toHealthPolicy(options: HealthOptions = {}): HealthPolicy {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const policy: HealthPolicy = { ...DEFAULT_HEALTH_POLICY, ...given };
  for (const [name, value] of Object.entries(policy)) {
    if (name === "standby" ? value === "warm" || value === "cold" : Number.isFinite(value) && value > 0)
      continue;
    const expected = name === "standby" ? `"warm" or "cold"` : "a positive number";
    throw new ProvisioningError("VALIDATION_MALFORMED", `the health option "${name}" must be ${expected}`, {
      details: { option: name },
    });
  }
  return policy;
}

/** The interval at which a provider must send heartbeats, in milliseconds: a third of the timeout. */
export function heartbeatMsOf(policy: Pick<HealthPolicy, "timeoutMs">): number {
  return policy.timeoutMs / 3;
}
