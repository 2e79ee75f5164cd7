import { ProvisioningError } from "@holdfast/core";
import type { HealthPolicy } from "./health-policy.ts";

/** Which members stay when the active provider drops many of them at once. */
export interface MassRemovalOptions {
  /** A drop of this share of the members or more is large; above 0, up to 1. @defaultValue 0.5 */
  readonly share?: number | undefined;
  /**
   * How long a member is kept at most, in milliseconds. Longer gives a provider that lost its data more time to get it back;
   * shorter delays a large removal less that a standby wrongly denies. @defaultValue 300000
   */
  readonly holdMs?: number | undefined;
  /**
   * `contested`: members of a large drop that another healthy provider still lists are kept. `always`: all members of a large
   * drop are kept until another healthy provider has removed them too, also when there is no other. @defaultValue "contested"
   */
  readonly when?: "contested" | "always" | undefined;
}

/** What keeps members from leaving too soon. */
export interface GuardOptions {
  /**
   * After a failover, members that the new provider does not list leave once it has been active and healthy for this long, in
   * milliseconds; 0: at once. @defaultValue the cooldown
   */
  readonly removalDwellMs?: number | undefined;
  /** `false`: every removal takes effect at once. @defaultValue on, as `MassRemovalOptions` says */
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

/** Half or more of the members, kept for five minutes: Consul agents register again within four, at any size of cluster. */
export const DEFAULT_MASS_REMOVAL: MassRemovalPolicy = Object.freeze({
  share: 0.5,
  holdMs: 300_000,
  when: "contested",
});

/** Fills in the defaults. Throws `VALIDATION_MALFORMED` for a duration or share that is not allowed. */
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
