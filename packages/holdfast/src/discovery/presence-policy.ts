import { ProvisioningError } from "@holdfast/core";
import { DEFAULT_MASS_REMOVAL } from "@holdfast/provisioning";
import type { DiscoveryOptions } from "./discovery-definition.ts";
import type { PresencePolicy } from "./service-presence.ts";

const DEFAULT_REMOVE_AFTER_MS = 60_000;

/** Fills in the defaults. Throws `VALIDATION_MALFORMED` for a duration or share out of its range. */
export function toPresencePolicy(options: DiscoveryOptions): PresencePolicy {
  const { removeAfterMs = DEFAULT_REMOVE_AFTER_MS, massRemoval = {} } = options;
  if (!(Number.isFinite(removeAfterMs) && removeAfterMs >= 0))
    throw toMalformed("removeAfterMs", "0 or more");
  if (massRemoval === false) return { removeAfterMs, massRemoval };
  const defaultHoldMs = Math.max(DEFAULT_MASS_REMOVAL.holdMs, removeAfterMs);
  const { share = DEFAULT_MASS_REMOVAL.share, holdMs = defaultHoldMs } = massRemoval;
  if (!(share > 0 && share <= 1)) throw toMalformed("massRemoval.share", "above 0, up to 1");
  if (!(Number.isFinite(holdMs) && holdMs >= removeAfterMs))
    throw toMalformed("massRemoval.holdMs", "at least removeAfterMs");
  return { removeAfterMs, massRemoval: { share, holdMs } };
}

function toMalformed(option: string, expected: string): ProvisioningError {
  return new ProvisioningError("VALIDATION_MALFORMED", `the option "${option}" must be ${expected}`, {
    details: { option },
  });
}
