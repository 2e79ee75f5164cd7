import { ERROR_TABLE, isProvisioningError, type ProvisioningError } from "@holdfast/core";

export type Outcome<T> = { readonly value: T } | { readonly error: ProvisioningError };

/**
 * What the work gives, or the `ProvisioningError` that it fails with. Any other failure is thrown on: no input may cause
 * one. So is one without a code of the table, and one that means a bug: `LIFECYCLE_INTERNAL`, or a `TypeError` and its like
 * somewhere among the causes.
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

/** Node gives a code to those it throws for a reason. */
function isBug(error: unknown, depth: number): boolean {
  if (!(error instanceof Error) || depth === MAX_DEPTH) return false;
  if (BUGS.has(error.name) && !("code" in error)) return true;
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error.cause, ...inner].some((each) => isBug(each, depth + 1));
}
