/** Names a configured provider; unique in a registry. Letters, digits, `.`, `_` and `-`, 1 to 63, a letter or digit first. */
export type ProviderId = string;

export const PROVIDER_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isProviderId(value: unknown): value is ProviderId {
  return typeof value === "string" && PROVIDER_ID_PATTERN.test(value);
}
