type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How many milliseconds ago the server that answered last heard of its leader (`X-Consul-LastContact`); infinite when it
 * knows none (`X-Consul-KnownLeader`).
 */
export function readStaleness(headers: Headers): number {
  if (headers["x-consul-knownleader"] === "false") return Number.POSITIVE_INFINITY;
  const contact = Number(headers["x-consul-lastcontact"] ?? 0);
  return Number.isFinite(contact) ? Math.max(contact, 0) : 0;
}
