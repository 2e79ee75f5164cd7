import { isProvisioningError, type ErrorCode } from "@holdfast/core";

/** After these nobody knows what is there, or somebody wanted it to end. */
const NEVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "STREAM_INVALID_DATA",
  "STREAM_EXPIRED",
  "LIFECYCLE_ABORTED",
  "LIFECYCLE_STOPPED",
]);

/** Answers that say nothing about the version that was asked for. */
const WITHOUT_A_LOOK: ReadonlySet<unknown> = new Set([401, 403, 429, 503]);

/** Whether a watch that failed so leaves something to go on from. */
export function mayResumeAfter(error: unknown): boolean {
  return isProvisioningError(error) && !NEVER.has(error.code);
}

/** Whether the server, asked for a version that was remembered, may have meant that it does not have it. */
export function refusesVersion(error: unknown): boolean {
  if (!isProvisioningError(error)) return false;
  const { status } = error.details;
  return error.code === "STREAM_EXPIRED" || (status !== undefined && !WITHOUT_A_LOOK.has(status));
}
