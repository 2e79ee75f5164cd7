import { isIP } from "node:net";

/** A label of a DNS name. Names of containers have underscores, which DNS itself allows (RFC 2181, section 11). */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** What `isHost` accepts, for messages. */
export const EXPECTED_HOST = "an IP address or a DNS name";

/**
 * Whether a text is an IP address (IPv6 without brackets) or a DNS name: no scheme, no port, no white space. A name whose last label is
 * a number is taken for a malformed IPv4 address, as URLs do.
 */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  if (text.length > 253) return false;
  const labels = text.replace(/\.$/, "").split(".");
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
}
