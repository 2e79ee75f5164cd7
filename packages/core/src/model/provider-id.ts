/**
 * Identifies a configured provider; unique in a registry. 1 to 63 letters, digits, `.`, `_` and `-`; the first one is a
 * letter or digit.
 */
export type ProviderId = string;

export const PROVIDER_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isProviderId(value: unknown): value is ProviderId {
  return typeof value === "string" && PROVIDER_ID_PATTERN.test(value);
}
