import { REMOTE_EVENT_ORDER } from "./remote-event-order.ts";
import { type RemoteTopologyEvent } from "@holdfast/core";

/**
 * Used by receivers of remote-topology events: drops repeats and events older than the newest one accepted. Events have
 * a total order (epoch, `seqNo`, node id, kind), so it is enough to remember the last one. Call it with the events in
 * the order of arrival, before distributing them.
 */
export class RemoteEventFilter {
  #last: RemoteTopologyEvent | undefined;

  /** True when the event comes after everything accepted so far. */
  isNew(event: RemoteTopologyEvent): boolean {
    return this.#last === undefined || compareEvents(event, this.#last) > 0;
  }

  /**
   * Like `isNew`, and remembers the event. If handling an event can fail, call `isNew`, handle the event, then call
   * `accept`, because an accepted event is dropped when its batch is sent again.
   */
  accept(event: RemoteTopologyEvent): boolean {
    if (!this.isNew(event)) return false;
    this.#last = event;
    return true;
  }
}

function compareEvents(a: RemoteTopologyEvent, b: RemoteTopologyEvent): number {
  return (
    compare(a.epoch, b.epoch) ||
    compare(a.seqNo, b.seqNo) ||
    compare(a.node.id, b.node.id) ||
    compare(REMOTE_EVENT_ORDER[a.kind], REMOTE_EVENT_ORDER[b.kind])
  );
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
