import { isTopologyName, ProvisioningError, type TopologyName } from "@holdfast/core";

/** How many names an error lists. */
const NAMED = 20;

/** Returns a `TOPOLOGY_UNKNOWN` that names the topologies that exist, if they are known. */
export function toUnknownTopologyError(name: string, known?: readonly TopologyName[]): ProvisioningError {
  const subject = isTopologyName(name) ? `no topology is called "${name}"` : "no topology has such a name";
  const text = known === undefined ? subject : `${subject}; ${toList(known)}`;
  return new ProvisioningError("TOPOLOGY_UNKNOWN", text);
}

function toList(known: readonly TopologyName[]): string {
  const shown = known.slice(0, NAMED).join(", ");
  const more = known.length > NAMED ? `, and ${known.length - NAMED} more` : "";
  return known.length === 0 ? "there are none" : `there are ${shown}${more}`;
}
