import { ProvisioningError } from "@holdfast/core";
import type { HealthPolicy } from "./health-policy.ts";

/** Which members are kept when the active provider removes many of them at once. */
export interface MassRemovalOptions {
  /** A removal of at least this share of the members is large; above 0, up to 1. @defaultValue 0.5 */
  readonly share?: number | undefined;
  /**
   * How long a member is kept at most, in milliseconds. A longer time gives a provider that lost its data more time to recover it. A
   * shorter time delays a genuine large removal less when a standby still lists the members. @defaultValue 300000
   */
  readonly holdMs?: number | undefined;
  /**
   * `contested`: of a large removal, the members that another healthy provider still lists are kept. `always`: all members of a large
   * removal are kept until another healthy provider has removed them too, even if there is no other provider. @defaultValue "contested"
   */
  readonly when?: "contested" | "always" | undefined;
}

/** Settings of the guards, which keep members from being removed too early. */
export interface GuardOptions {
  /**
   * After a failover, members that the new provider does not list are removed once it has been active and healthy for this long, in
   * milliseconds. 0 removes them at once. @defaultValue the cooldown
   */
  readonly removalDwellMs?: number | undefined;
  /** `false` turns the guard off: every removal takes effect at once. @defaultValue on, with the defaults of `MassRemovalOptions` */
  readonly massRemoval?: MassRemovalOptions | false | undefined;
}

export interface MassRemovalPolicy {
  readonly share: number;
  readonly holdMs: number;
  readonly when: "contested" | "always";
}

export interface GuardPolicy {
  readonly removalDwellMs: number;
  readonly massRemoval: MassRemovalPolicy | undefined;
}

/** Five minutes are enough for Consul agents to register again after a loss of data: they need four at most, at any cluster size. */
export const DEFAULT_MASS_REMOVAL: MassRemovalPolicy = Object.freeze({
  share: 0.5,
  holdMs: 300_000,
  when: "contested",
});

/** Fills in the defaults. Throws `VALIDATION_MALFORMED` for a duration or share out of its range. */
export function toGuardPolicy(
  options: GuardOptions | undefined = {},
  { cooldownMs }: HealthPolicy,
): GuardPolicy {
  const { removalDwellMs = cooldownMs, massRemoval = {} } = options;
  if (!(Number.isFinite(removalDwellMs) && removalDwellMs >= 0)) {
    throw toMalformed("removalDwellMs", "a number, 0 or more");
  }
  return {
    removalDwellMs,
    massRemoval: massRemoval === false ? undefined : toMassRemovalPolicy(massRemoval),
  };
}

function toMassRemovalPolicy(options: MassRemovalOptions): MassRemovalPolicy {
  const { share: defaultShare, holdMs: defaultHoldMs, when: defaultWhen } = DEFAULT_MASS_REMOVAL;
  const { share = defaultShare, holdMs = defaultHoldMs, when = defaultWhen } = options;
  if (!(share > 0 && share <= 1)) throw toMalformed("massRemoval.share", "above 0, up to 1");
  if (!(Number.isFinite(holdMs) && holdMs > 0)) throw toMalformed("massRemoval.holdMs", "a positive number");
  if (when !== "contested" && when !== "always")
    throw toMalformed("massRemoval.when", `"contested" or "always"`);
  return { share, holdMs, when };
}

function toMalformed(option: string, expected: string): ProvisioningError {
  return new ProvisioningError("VALIDATION_MALFORMED", `the guard option "${option}" must be ${expected}`, {
    details: { option },
  });
}
