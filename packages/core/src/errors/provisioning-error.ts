import { categoryOf, ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./error-codes.ts";

const BRAND = Symbol.for("@holdfast/core/ProvisioningError");

export interface ProvisioningErrorOptions {
  readonly cause?: unknown;
  /** Facts to branch on or print. Never contain a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Overrides the value in the table for this occurrence. */
  readonly retryable?: boolean;
}

/** The only error that crosses a package boundary. `message` has the form `[CODE] what failed, for which name`. */
export class ProvisioningError extends Error {
  override readonly name = "ProvisioningError";
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ProvisioningErrorOptions = {}) {
    super(`[${code}] ${message}`, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.category = categoryOf(code);
    this.retryable = options.retryable ?? ERROR_TABLE[code].retryable;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Omits `cause`, because third-party errors may contain secrets. */
  toJSON(): Record<string, unknown> {
    const { code, category, retryable, message, details } = this;
    return { code, category, retryable, message, details };
  }
}

/** True for a `ProvisioningError` from any copy of this package. */
export function isProvisioningError(value: unknown): value is ProvisioningError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/**
 * Returns a `ProvisioningError` unchanged and wraps anything else in a new one with the code `fallback`; the original
 * becomes the `cause`.
 */
export function toProvisioningError(value: unknown, fallback: ErrorCode, message: string): ProvisioningError {
  if (isProvisioningError(value)) return value;
  return new ProvisioningError(fallback, message, { cause: value });
}
