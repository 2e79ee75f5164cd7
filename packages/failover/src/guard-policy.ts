import { ProvisioningError } from "@holdfast/core";
import type { HealthPolicy } from "./health-policy.ts";

/** When an answer that drops many members at once is held. */
export interface MassRemovalOptions {
  /** More than this share of the members, above 0 and below 1, is too much at once. */
  readonly maxShare: number;
  /** How long it is held at most, in milliseconds: so long it takes for a cluster that really scales to zero. */
  readonly holdMs: number;
}

/** What keeps members from leaving too soon. */
export interface GuardOptions {
  /**
   * After a switch, members that the new provider does not list leave once it has been active and healthy for so long, in
   * milliseconds; 0: at once. @defaultValue the cooldown
   */
  readonly removalDwellMs?: number | undefined;
  /** @defaultValue off: what the active provider says is believed, however little is left */
  readonly massRemoval?: MassRemovalOptions | undefined;
}

export interface GuardPolicy {
  readonly removalDwellMs: number;
  readonly massRemoval: MassRemovalOptions | undefined;
}

/** Fills in the defaults. Throws `VALIDATION_MALFORMED` for a duration or share that is none. */
export function toGuardPolicy(options: GuardOptions = {}, { cooldownMs }: HealthPolicy): GuardPolicy {
  const { removalDwellMs = cooldownMs, massRemoval } = options;
  if (!(Number.isFinite(removalDwellMs) && removalDwellMs >= 0)) {
    throw toMalformed("removalDwellMs", "a number, 0 or more");
  }
  if (massRemoval !== undefined) {
    const { maxShare, holdMs } = massRemoval;
    if (!(maxShare > 0 && maxShare < 1)) throw toMalformed("massRemoval.maxShare", "above 0 and below 1");
    if (!(Number.isFinite(holdMs) && holdMs > 0))
      throw toMalformed("massRemoval.holdMs", "a positive number");
  }
  return { removalDwellMs, massRemoval };
}

function toMalformed(option: string, expected: string): ProvisioningError {
  return new ProvisioningError("VALIDATION_MALFORMED", `the guard option "${option}" must be ${expected}`, {
    details: { option },
  });
}
