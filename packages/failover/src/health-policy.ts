import { ProvisioningError } from "@holdfast/core";

/** How health is judged and when to switch. All durations are milliseconds. */
export interface HealthPolicy {
  /** Silence longer than this makes a provider unreachable. */
  readonly timeoutMs: number;
  /** Failures in a row that make a provider unreachable. */
  readonly maxErrors: number;
  /** The first retry waits up to this long (full jitter). */
  readonly backoffInitialMs: number;
  /** No retry waits longer than this. */
  readonly backoffMaxMs: number;
  /** How long a provider must be healthy to be trusted again, and the least time between two switches. */
  readonly cooldownMs: number;
  /** A snapshot older than this on arrival is late. */
  readonly lateSnapshotMs: number;
  /** `warm`: stand-bys are watched too, so a switch costs no round trip. `cold`: only when needed. */
  readonly standby: "warm" | "cold";
}

/**
 * What may be set; the rest is as `DEFAULT_HEALTH_POLICY` says.
 */
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

/** How often a provider owes a heartbeat, in milliseconds: a third of the timeout. */
export function heartbeatMsOf(policy: Pick<HealthPolicy, "timeoutMs">): number {
  return policy.timeoutMs / 3;
}
