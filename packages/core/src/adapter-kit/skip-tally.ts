import { fieldOf, listOf } from "./json-field.ts";
import { isProvisioningError } from "../errors/provisioning-error.ts";
import type { SkippedEntries } from "../model/provider-snapshot.ts";

const MAX_REASONS = 5;

/** Counts entries of a response that were left out, and keeps the first few different reasons. */
export class SkipTally {
  #count = 0;
  readonly #reasons = new Set<string>();

  skip(reason: string): void {
    this.#count++;
    if (this.#reasons.size < MAX_REASONS) this.#reasons.add(reason);
  }

  /** Returns `undefined` when nothing was left out. */
  toSkipped(): SkippedEntries | undefined {
    return this.#count === 0 ? undefined : { count: this.#count, reasons: [...this.#reasons] };
  }
}

/**
 * Describes why a `NodeReader` refused an entry: the first field with a problem and what was expected of it. Quotes
 * nothing of the entry, and no metadata keys. Rethrows errors that are not a refusal.
 */
export function toSkipReason(error: unknown): string {
  if (!isProvisioningError(error) || error.category !== "validation") throw error;
  const [first] = listOf(error.details, "problems");
  if (first === undefined) return "it is malformed";
  const [field = ""] = /^\w*/.exec(String(fieldOf(first, "path"))) ?? [];
  return `${field}: expected ${String(fieldOf(first, "expected"))}`;
}
