import { isProvisioningError, type ErrorCode } from "@holdfast/core";

/** After these errors the content is unknown, or the watch was ended deliberately. */
const NOT_RESUMABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "STREAM_INVALID_DATA",
  "STREAM_EXPIRED",
  "LIFECYCLE_ABORTED",
  "LIFECYCLE_STOPPED",
]);

/** Statuses that do not depend on the requested version. */
const UNRELATED_STATUSES: ReadonlySet<unknown> = new Set([401, 403, 429, 503]);

/** True when the next watch can continue from the state of a watch that failed with this error. */
export function mayResumeAfter(error: unknown): boolean {
  return isProvisioningError(error) && !NOT_RESUMABLE.has(error.code);
}

/** True when the error may mean that the server does not have the requested version. */
export function refusesVersion(error: unknown): boolean {
  if (!isProvisioningError(error)) return false;
  const { status } = error.details;
  return error.code === "STREAM_EXPIRED" || (status !== undefined && !UNRELATED_STATUSES.has(status));
}
