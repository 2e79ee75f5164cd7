import { ERROR_TABLE, isProvisioningError, type ProvisioningError } from "@holdfast/core";

export type Outcome<T> = { readonly value: T } | { readonly error: ProvisioningError };

/**
 * What the work gives, or the `ProvisioningError` that it fails with. Any other failure is thrown on: no input may cause
 * one. So is one without a code of the table, or `LIFECYCLE_INTERNAL`, which means a bug.
 */
export async function outcomeOf<T>(work: () => T | PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isProvisioningError(error)) throw error;
    if (!Object.hasOwn(ERROR_TABLE, error.code) || error.code === "LIFECYCLE_INTERNAL") throw error;
    return { error };
  }
}
