import type { EntryReader } from "./entry-reader.ts";

export type Headers = Readonly<Record<string, string | string[]>>;

/** Whose rights are asked for instead of one's own ("User impersonation" in the Kubernetes documentation). */
export interface Impersonation {
  readonly user: string | undefined;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[] | null | undefined>>;
}

/**
 * The headers that ask for it; undefined when nothing is asked for. Refuses a uid, groups or extra fields without a user: without
 * the headers the request would be made with all rights of the credentials, where fewer were asked for.
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
    if (/\p{Cc}/u.test(text)) throw reader.unusable("what it impersonates has control characters in it");
    // A header is bytes: Node.js takes each character for one.
    return Buffer.from(text).toString("latin1");
  };
  const headers: Record<string, string | string[]> = { "impersonate-user": toValue(user) };
  if (uid !== undefined) headers["impersonate-uid"] = toValue(uid);
  if (groups.length > 0) headers["impersonate-group"] = groups.map(toValue);
  for (const [key, values] of extras)
    if (values && values.length > 0) headers[`impersonate-extra-${escapeKey(key)}`] = values.map(toValue);
  return headers;
}

/** Bytes that a header's name cannot have are percent-encoded, and so is the percent sign. */
function escapeKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte);
    return /[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
