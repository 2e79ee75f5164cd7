import { regexes } from "zod";

const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = String.raw`${BYTE}(?:\.${BYTE}){3}`;
const IPV6 = regexes.ipv6.source.slice(1, -1);
/** Matches `::1.2.3.4` and `::ffff:1.2.3.4`. */
const MAPPED = `::(?:[fF]{4}:)?${IPV4}`;
/** A label of RFC 1123, with underscores, which Kubernetes, Consul and DNS itself allow. */
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
/** Resolvers read a last label that is a number as the end of an IPv4 address: `1.2.3`, `010.0.0.1`, `0x7f000001`. */
const LAST_LABEL = String.raw`(?!(?:\d+|0[xX][\dA-Fa-f]*)\.?$)${LABEL}`;
const NAME = String.raw`(?:${LABEL}\.)*${LAST_LABEL}\.?`;

/**
 * Matches an IP address or a DNS name without anything around it: no port, scheme, brackets, white space or zone id
 * (`fe80::1%eth0` is only valid on one machine). International names must be in their ASCII form (`xn--...`).
 */
export const HOST_PATTERN: RegExp = new RegExp(`^(?:${IPV4}|${IPV6}|${MAPPED}|${NAME})$`);
