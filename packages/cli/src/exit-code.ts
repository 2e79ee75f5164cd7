import { isProvisioningError } from "@holdfast/core";

/** What the command ends with. 130 is what shells make of Ctrl-C: a second one ends the daemon at once. */
export const EXIT_CODE = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Bad input, on the command line or in a file, is 2; everything else that fails is 1. */
export function exitCodeOf(error: unknown): number {
  const isBadInput = isProvisioningError(error) && error.category === "validation";
  return isBadInput ? EXIT_CODE.usage : EXIT_CODE.failure;
}
