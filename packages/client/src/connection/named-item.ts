import { isTopologyName, ProvisioningError, type TopologyName } from "@holdfast/core";
import { fieldOf, parseJson, textOf } from "@holdfast/core/portable";
import type { StreamItem } from "./event-stream-parser.ts";

type EventItem = Extract<StreamItem, { type: "event" }>;

/** An event of a stream of several topologies. `item` is the event as it would be on a stream of one topology. */
export interface NamedItem {
  readonly name: TopologyName;
  readonly item: EventItem;
}

/**
 * Finds out which topology an event of a stream of several topologies belongs to: its id is `NAME@EPOCH/SEQNO`, or its data has the name
 * when it has no position in a log. Throws `STREAM_INVALID_DATA`.
 */
export function toNamedItem(item: EventItem): NamedItem {
  if (item.event === "via" || item.event === "gone") {
    const data = parseJson(item.data);
    const via = fieldOf(data, "via");
    return { name: toName(textOf(data, "topology")), item: { ...item, data: JSON.stringify(via ?? {}) } };
  }
  return { name: toName(/^([^@]+)@/.exec(item.id)?.[1]), item };
}

function toName(text: string | undefined): TopologyName {
  if (isTopologyName(text)) return text;
  throw new ProvisioningError("STREAM_INVALID_DATA", "an event of the daemon does not name its topology");
}
