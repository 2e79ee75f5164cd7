import { ERROR_TABLE, isProvisioningError, type ProvisioningError } from "@holdfast/core";

export type Outcome<T> = { readonly value: T } | { readonly error: ProvisioningError };

/**
 * Returns the value of the work, or the `ProvisioningError` that it fails with. Rethrows any other failure, because no
 * input may cause one. Also rethrows an error whose code is not in the table, and an error that indicates a bug:
 * `LIFECYCLE_INTERNAL`, or a `TypeError`, `RangeError` or similar among its causes.
 */
export async function outcomeOf<T>(work: () => T | PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isProvisioningError(error)) throw error;
    if (!Object.hasOwn(ERROR_TABLE, error.code) || error.code === "LIFECYCLE_INTERNAL") throw error;
    if (isBug(error, 0)) throw error;
    return { error };
  }
}

const BUGS = new Set(["TypeError", "RangeError", "ReferenceError", "InternalError"]);
const MAX_DEPTH = 20;

/** Errors that Node throws deliberately have a code. */
function isBug(error: unknown, depth: number): boolean {
  if (!(error instanceof Error) || depth === MAX_DEPTH) return false;
  if (BUGS.has(error.name) && !("code" in error)) return true;
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error.cause, ...inner].some((each) => isBug(each, depth + 1));
}
