import { fieldOf } from "@holdfast/core/adapter";

/** Where an instance is reached; not checked yet. */
export interface Endpoint {
  readonly host: unknown;
  readonly port: unknown;
}

/**
 * The address and the port of an instance, in the order in which Consul itself looks for them: the service's tagged address with its
 * port, the service's own address, the node's tagged address, the node's address. A tagged address is used whole; where it has no
 * port (0), as those of nodes, the service's port applies.
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

/** Consul writes an empty text where there is no address. */
function isGiven(host: unknown): boolean {
  return host !== undefined && host !== null && host !== "";
}
