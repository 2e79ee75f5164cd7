import type { EntryReader } from "./entry-reader.ts";

export type Headers = Readonly<Record<string, string | string[]>>;

/**
 * The user whose permissions the requests use instead of those of the credentials ("User impersonation" in the
 * Kubernetes documentation).
 */
export interface Impersonation {
  readonly user: string | undefined;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[] | null | undefined>>;
}

/**
 * Returns the headers for an impersonation; undefined for none. Throws for a uid, groups or extra fields without a
 * user: without the headers, the request would have all permissions of the credentials instead of fewer.
 */
export function toImpersonation(
  { user, uid, groups, extra }: Impersonation,
  reader: Pick<EntryReader, "unusable">,
): Headers | undefined {
  const extras = Object.entries(extra);
  if (user === undefined) {
    if (uid === undefined && groups.length === 0 && extras.length === 0) return undefined;
    throw reader.unusable("it has as-uid, as-groups or as-user-extra without as");
  }
  const toValue = (text: string): string => {
    if (/\p{Cc}/u.test(text))
      throw reader.unusable("a field of the impersonation contains control characters");
    // Node.js writes each character of a header as one byte.
    return Buffer.from(text).toString("latin1");
  };
  const headers: Record<string, string | string[]> = { "impersonate-user": toValue(user) };
  if (uid !== undefined) headers["impersonate-uid"] = toValue(uid);
  if (groups.length > 0) headers["impersonate-group"] = groups.map(toValue);
  for (const [key, values] of extras)
    if (values && values.length > 0) headers[`impersonate-extra-${escapeKey(key)}`] = values.map(toValue);
  return headers;
}

/** Percent-encodes the percent sign and bytes that are not allowed in the name of a header. */
function escapeKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte);
    return /[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
