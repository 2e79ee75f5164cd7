import { fieldOf } from "@holdfast/core/adapter";

/** The address of an instance; not checked yet. */
export interface Endpoint {
  readonly host: unknown;
  readonly port: unknown;
}

/**
 * Returns the address and the port of an instance, in the order of Consul: the tagged address of the service with its
 * port, the address of the service, the tagged address of the node, the address of the node. When a tagged address has
 * no port (0), and for addresses of nodes, the port of the service is used.
 */
export function toEndpoint(service: unknown, node: unknown, tag: string | undefined): Endpoint {
  const port = fieldOf(service, "Port");
  if (tag !== undefined) {
    const tagged = fieldOf(fieldOf(service, "TaggedAddresses"), tag);
    const host = fieldOf(tagged, "Address");
    if (isGiven(host)) return { host, port: fieldOf(tagged, "Port") || port };
  }
  const own = fieldOf(service, "Address");
  if (isGiven(own)) return { host: own, port };
  const ofNode = tag === undefined ? undefined : fieldOf(fieldOf(node, "TaggedAddresses"), tag);
  return { host: isGiven(ofNode) ? ofNode : fieldOf(node, "Address"), port };
}

/** False for a missing address, for which Consul sends an empty string. */
function isGiven(host: unknown): boolean {
  return host !== undefined && host !== null && host !== "";
}
