import { isIP } from "node:net";

/** A label of a DNS name. Container names have underscores, which DNS allows (RFC 2181, section 11). */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** Describes what `isHost` accepts, for messages. */
export const EXPECTED_HOST = "an IP address or a DNS name";

/**
 * True for an IP address (IPv6 without brackets) or a DNS name, without scheme, port or white space. A name whose last
 * label is a number counts as a malformed IPv4 address, as in URLs.
 */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  if (text.length > 253) return false;
  const labels = text.replace(/\.$/, "").split(".");
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
}
