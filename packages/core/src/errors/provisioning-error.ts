import { categoryOf, ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./error-codes.ts";

const BRAND = Symbol.for("@holdfast/core/ProvisioningError");

export interface ProvisioningErrorOptions {
  readonly cause?: unknown;
  /** Facts to branch on or print. Never holds a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Overrides the table where one occurrence differs from its code's rule. */
  readonly retryable?: boolean;
}

/** The only error that crosses a package boundary. `message` reads `[CODE] what failed, for which name`. */
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

  /** Without `cause`: what a library put into it is not ours to vouch for. */
  toJSON(): Record<string, unknown> {
    const { code, category, retryable, message, details } = this;
    return { code, category, retryable, message, details };
  }
}

/** True for our error from any copy of this package. */
export function isProvisioningError(value: unknown): value is ProvisioningError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** Passes our own errors through and wraps anything else as `fallback`; the original becomes the `cause`. */
export function toProvisioningError(value: unknown, fallback: ErrorCode, message: string): ProvisioningError {
  if (isProvisioningError(value)) return value;
  return new ProvisioningError(fallback, message, { cause: value });
}
