import { isProvisioningError } from "@holdfast/core";

/** The exit codes of the command. 130 is the code that shells use for Ctrl-C: a second one ends the daemon at once. */
export const EXIT_CODE = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Returns 2 for invalid input, on the command line or in a file, and 1 for any other failure. */
export function exitCodeOf(error: unknown): number {
  const isBadInput =
    isProvisioningError(error) && (error.category === "validation" || error.code === "TOPOLOGY_UNKNOWN");
  return isBadInput ? EXIT_CODE.usage : EXIT_CODE.failure;
}
